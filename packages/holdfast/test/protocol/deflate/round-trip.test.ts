import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { PermessageDeflate } from "../../../build/protocol/deflate/permessage-deflate.js";
import { patterned } from "../endpoint.js";
import { decoded, encoded, endsOf, packed, unpacked, WAYS } from "./agreements.js";
import { contentOf, type Kind } from "./contents.js";

async function assertPasses(
  from: PermessageDeflate,
  to: PermessageDeflate,
  messages: readonly Uint8Array[],
): Promise<void> {
  // Encoded all at once, as concurrent sends are: the threads may end in another order.
  const sent = await Promise.all(messages.map((message) => packed(from, message)));
  for (const [index, message] of sent.entries()) {
    const result = await unpacked(to, message);
    assert(result instanceof Uint8Array, String(result));
    assert(
      Buffer.compare(result, messages[index]) === 0,
      `Message ${index} of ${messages[index].length} bytes`,
    );
  }
}

const SIZES = [0, 1, 2, 3, 255, 256, 257, 511, 513, 4095, 4097, 32_767, 32_768, 32_769, 65_537, 102_400];

test("E8: every window with and without context takeover carries every size both ways (RFC 7692 section 7)", async () => {
  const messages = SIZES.map((size, index) =>
    contentOf((["text", "noise", "zeros"] as const)[index % 3], size),
  );
  for (let bits = 8; bits <= 15; bits++) {
    for (const forgets of [false, true]) {
      const [serverNoContextTakeover, clientNoContextTakeover] = [forgets, forgets];
      const windows = { serverMaxWindowBits: bits, clientMaxWindowBits: bits };
      const ends = endsOf({ serverNoContextTakeover, clientNoContextTakeover, ...windows });
      for (const [from, to] of WAYS) await assertPasses(ends[from], ends[to], messages);
    }
  }
});

test("E8: the two ways have parameters of their own (RFC 7692 section 7.1)", async () => {
  const agreed = { serverMaxWindowBits: 8, clientMaxWindowBits: 15, serverNoContextTakeover: true };
  const message = patterned(3000);
  const { client, server } = endsOf(agreed);
  const lengths = [];
  for (const end of [client, server]) {
    const sent = [await encoded(end, message), await encoded(end, message)];
    lengths.push(sent.map(({ length }) => length < 100));
  }
  assert.deepEqual(lengths, [
    [false, true],
    [false, false],
  ]);
});

test("E8: any sequence of messages arrives unchanged, with every agreement (RFC 7692 section 7.2)", async () => {
  const kind = fc.constantFrom<Kind>("text", "noise", "zeros");
  const size = fc.oneof(fc.nat(300), fc.nat(5000), fc.integer({ min: 30_000, max: 102_400 }));
  const message = fc
    .tuple(kind, size, fc.nat(3))
    .map(([what, length, seed]) => contentOf(what, length, seed));
  const bits = fc.integer({ min: 8, max: 15 });
  const agreed = fc.record({
    serverNoContextTakeover: fc.boolean(),
    clientNoContextTakeover: fc.boolean(),
    serverMaxWindowBits: bits,
    clientMaxWindowBits: bits,
  });
  const level = fc.record({
    level: fc.integer({ min: 1, max: 9 }),
    memLevel: fc.integer({ min: 1, max: 9 }),
  });
  await fc.assert(
    fc.asyncProperty(
      agreed,
      level,
      fc.constantFrom(...WAYS),
      fc.array(message, { maxLength: 8 }),
      async (parameters, tuning, [from, to], messages) => {
        const ends = endsOf(parameters, tuning);
        await assertPasses(ends[from], ends[to], messages);
      },
    ),
    { numRuns: 60 },
  );
});

test("E8: messages below the threshold are not compressed, and not added to the window", async () => {
  const { client, server } = endsOf({}, { threshold: 10 });
  const long = Buffer.from("Hello, hello, hello, hello");
  assert.deepEqual(
    [client.encode(Buffer.from("Hello")), client.encode(new Uint8Array(9)), client.encode(new Uint8Array())],
    [null, null, null],
  );
  const first = await encoded(client, long);
  assert.equal(client.encode(Buffer.from("Bye")), null);
  const second = await encoded(client, long);
  assert.deepEqual(Buffer.from((await decoded(server, first)) as Uint8Array), long);
  assert.deepEqual(Buffer.from((await decoded(server, second)) as Uint8Array), long);
});

test("E8: a message that compression does not shorten is sent uncompressed, and not added to the window (RFC 7692 section 6)", async () => {
  const [noise, long] = [contentOf("noise", 5000), contentOf("text", 500)];
  for (const forgets of [false, true]) {
    const { client, server } = endsOf({ clientNoContextTakeover: forgets });
    assert.deepEqual(
      [client.encode(noise), client.encode(noise), client.encode(Buffer.from("Hello"))],
      [null, null, null],
    );
    assert.equal(client.encode(new Uint8Array(0)), null);
    await assertPasses(client, server, [long, noise, long, noise, long]);
  }
});

test("E8: in a thread, a message that does not get shorter is sent uncompressed if there is no window (RFC 7692 section 7.1.1)", async () => {
  const noise = contentOf("noise", 100_000);
  const { client, server } = endsOf({ clientNoContextTakeover: true });
  assert.deepEqual(await packed(client, noise), { bytes: noise, isCompressed: false });
  const grown = await encoded(server, noise);
  assert(grown.length <= noise.length + 256, `${grown.length} bytes`);
  await assertPasses(server, client, [noise, contentOf("text", 500), noise]);
});

test("E8: every size around the buffers of zlib ends in one empty block that is cut off (RFC 7692 section 7.2.1)", async () => {
  const { client, server } = endsOf({ clientNoContextTakeover: true });
  // Noise, but for a beginning that makes up for what the rest grows by.
  const message = (size: number) => Buffer.concat([contentOf("zeros", 100), contentOf("noise", size - 100)]);
  for (let size = 1040; size <= 1160; size++) await assertPasses(client, server, [message(size)]);
  for (let size = 65_480; size <= 65_660; size += 4) await assertPasses(client, server, [message(size)]);
});
