// Another version, another script, or a failing storage may be behind what `keep` returns: the client begins a
// new session, or continues, but never throws.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import {
  connectPersistent,
  serve,
  type KeptClient,
  type PersistentConnection,
  type Server,
  type SessionKeep,
} from "../../../build/index.js";
import { decodeKeptState, encodeKeptState } from "../../../build/session/kept-state.js";
import { receive } from "./session-pair.js";

class MemoryKeep implements SessionKeep {
  stored: string | null;
  client: KeptClient | null = null;

  constructor(stored: string | null = null) {
    this.stored = stored;
  }

  load(): string | null {
    return this.stored;
  }

  save(state: string): void {
    this.stored = state;
  }

  clear(): void {
    this.stored = null;
  }

  watch(client: KeptClient): () => void {
    this.client = client;
    return () => undefined;
  }
}

describe("A kept state that cannot be trusted", { timeout: 300_000 }, () => {
  let server: Server;
  const warnings: string[] = [];
  const ignore = (): void => undefined;
  const logger = { debug: ignore, info: ignore, error: ignore, warn: (line: string) => warnings.push(line) };

  const open = (keep: SessionKeep): PersistentConnection =>
    connectPersistent(server.url, { session: { keep }, minDelay: 0, firstDelay: 1, maxDelay: 1, logger });

  before(async () => {
    server = await serve((connection) => connection.forEach((message) => connection.send(message)), {
      host: "127.0.0.1",
      sessions: true,
      logger: null,
    });
  });
  after(() => server.close({ timeout: 0 }));

  /** The state of a client whose session the server has, with messages of each kind. */
  async function validState(): Promise<string> {
    const keep = new MemoryKeep();
    const client = open(keep);
    await client.send("a", { until: "delivered" });
    await client.send("b", { until: "delivered" });
    await receive(client, 1);
    void client.send("c");
    void client.send(new Uint8Array([1, 2, 3]));
    keep.client?.suspend();
    void client.send("d", { timeToLive: 60_000 });
    void client.send(new Uint8Array([0, 255]));
    const { stored } = keep;
    client.terminate();
    return stored ?? "";
  }

  /** Opens a client with this state: it works, with one session or another. */
  async function assertWorks(keep: SessionKeep, what: string): Promise<void> {
    const client = open(keep);
    try {
      await client.send("works", { timeToLive: null });
      const echo = client.forEach((message) => {
        if (message === "works") client.terminate();
      });
      await echo.catch(ignore);
    } catch (error) {
      assert.fail(`${what}: ${String(error)}`);
    } finally {
      client.terminate();
    }
  }

  /** A valid state, in which one value was replaced by another. */
  const replacement = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(-1, 0, 1, 1.5, 1e308, 2 ** 52, 2 ** 53, "", "\ud800", "__proto__", [], {}, null),
  );

  function replaceAt(text: string, pick: number, value: unknown): string {
    const root = { state: JSON.parse(text) as unknown };
    const places: (readonly [Record<string, unknown>, string])[] = [];
    const visit = (object: Record<string, unknown>): void => {
      for (const key of Object.keys(object)) {
        places.push([object, key]);
        const child = object[key];
        if (typeof child === "object" && child !== null) visit(child as Record<string, unknown>);
      }
    };
    visit(root);
    const [object, key] = places[pick % places.length];
    object[key] = value;
    return JSON.stringify(root.state);
  }

  test("L9: any text is read as a state that can be written again, or as none, and never throws", async () => {
    const valid = await validState();
    assert.notEqual(decodeKeptState(valid), null);
    const check = (text: string): void => {
      const state = decodeKeptState(text);
      if (state !== null) assert.deepEqual(decodeKeptState(encodeKeptState(state)), state);
    };
    for (const text of ["", "null", "[]", "[".repeat(1_000_000), `"${"x".repeat(5_000_000)}"`]) check(text);
    fc.assert(fc.property(fc.string(), check));
    fc.assert(fc.property(fc.json(), check));
    fc.assert(fc.property(fc.nat(valid.length - 1), (length) => check(valid.slice(0, length))));
    fc.assert(
      fc.property(fc.nat(), replacement, (pick, value) => check(replaceAt(valid, pick, value))),
      { numRuns: 1_000 },
    );
  });

  test("L9: a client with a damaged, foreign, truncated or forged state works", async () => {
    const valid = await validState();
    const texts = [
      "",
      "null",
      valid.slice(0, -1),
      valid.replace('"v":1', '"v":2'),
      valid.replace('"v":1', '"v":1,"__proto__":{"session":null}'),
      `{"__proto__":{"v":1,"session":null,"unread":[],"queued":[]}}`,
      JSON.stringify({
        v: 1,
        session: null,
        unread: [],
        queued: [{ data: "d", mayEncode: true, expiresAt: 1e308 }],
      }),
      JSON.stringify({ v: 1, session: null, unread: ["x".repeat(5_000_000)], queued: [] }),
    ];
    for (const text of texts) await assertWorks(new MemoryKeep(text), text.slice(0, 100));
    await fc.assert(
      fc.asyncProperty(fc.nat(), replacement, async (pick, value) => {
        const text = replaceAt(valid, pick, value);
        await assertWorks(new MemoryKeep(text), text);
      }),
      { numRuns: Number(process.env["HOLDFAST_KEEP_RUNS"] ?? 60), endOnFailure: true },
    );
  });

  test("L9: a keep that fails, or returns no text, costs the session, and nothing else", async () => {
    const valid = await validState();
    const fail = (): never => {
      throw new DOMException("no", "QuotaExceededError");
    };
    const odd = (value: unknown): SessionKeep =>
      Object.assign(new MemoryKeep(), { load: () => value as string });
    for (const keep of [odd(undefined), odd(5), odd({}), odd(Symbol("s"))])
      await assertWorks(keep, "no text");
    for (const failing of [["load"], ["clear"], ["load", "clear", "save"]]) {
      const keep = new MemoryKeep(valid);
      for (const name of failing) Object.assign(keep, { [name]: fail });
      await assertWorks(keep, failing.join());
    }
  });

  test("L9: if the state does not fit, the earlier one is removed, and the client that continues loses nothing", async () => {
    const keep = new MemoryKeep();
    const client = open(keep);
    await client.send("a", { until: "delivered" });
    const { id } = client.session ?? {};
    keep.client?.suspend();
    assert.notEqual(keep.stored, null);
    warnings.length = 0;
    keep.save = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    const sends = [client.send("b"), client.send("c")]; // Each is saved.
    assert.equal(keep.stored, null);
    assert.deepEqual(
      warnings.filter((line) => line.includes("session")),
      ["the session cannot be kept"],
    );
    keep.client?.resume();
    await Promise.all(sends);
    assert.deepEqual(await receive(client, 3), ["a", "b", "c"]);
    assert.equal(client.session?.id, id);
    client.terminate();
  });
});
