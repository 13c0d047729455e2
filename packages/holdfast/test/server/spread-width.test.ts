import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "../../build/index.js";
import { activeResources, assertNothingLeft, OPCODE, RawClient } from "holdfast-testkit";
import { SpreadWidth } from "../../build/server/spread-width.js";

test("F2: a lone client reconnects at once, and of ten thousand at most 6 % within any 100 ms", () => {
  const width = new SpreadWidth();
  assert.equal(width.of(1), 100);
  let widest = 0;
  for (let connections = 1; connections <= 100_000; connections++) {
    const now = width.of(connections);
    if (connections === 10_000) assert(100 / now <= 0.06 && now <= 5_000, `${now} ms`);
    assert((connections / now) * 100 <= 500 || now === 100, `${connections} in ${now} ms`);
    assert(now >= widest);
    widest = now;
  }
});

test("F2: the width changes seldom: when the number has doubled, or fallen to a quarter", () => {
  const width = new SpreadWidth();
  const widths = new Set<number>();
  for (let connections = 1; connections <= 10_000; connections++) widths.add(width.of(connections));
  assert(widths.size <= 10, `${widths.size} widths on the way up`);
  const most = width.of(10_000);
  for (const connections of [9_999, 6_000, 3_000, 6_000, 10_000]) assert.equal(width.of(connections), most);
  assert(width.of(1_000) < most);
});

test("F2: it stays what it was once the server closes", () => {
  const width = new SpreadWidth();
  const last = width.of(10_000);
  width.freeze();
  for (const connections of [5_000, 100, 0]) assert.equal(width.of(connections), last);
});

test("F2: a server sends the width to a page at the opening, and not again while it is the same", async () => {
  const resources = activeResources();
  const server = await serve(() => undefined, { host: "127.0.0.1", pingInterval: 50 });
  const page = await RawClient.connect({ port: server.port, timeout: 30_000 });
  await page.upgrade({ headers: { "Sec-WebSocket-Protocol": "holdfast.plain, holdfast.v1" } });
  /** The next frame except Pings. */
  const next = async (): Promise<string> => {
    for (let pings = 0; pings < 100; pings++) {
      const { opcode, payload } = await page.readFrame();
      if (opcode !== OPCODE.ping) return `${opcode} ${Buffer.from(payload).toString()}`;
    }
    return "nothing but pings";
  };
  assert.equal(await next(), "1 \u0016spread 100");
  const closing = server.close({ timeout: 1_000 });
  assert.match(await next(), /^8 /);
  await page.close();
  await closing;
  await assertNothingLeft(resources);
});
