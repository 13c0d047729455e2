import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  Client,
  connect,
  InvalidArgumentError,
  serve,
  TextBytes,
  type Message,
} from "../../../build/index.js";
import { eventually, OPCODE } from "holdfast-testkit";
import { anyText } from "../../protocol/arbitraries.js";
import { Harness, ROLES } from "../harness.js";

const utf8 = (text: string): TextBytes => new TextBytes(Buffer.from(text));

for (const role of ROLES) {
  test(`E1: with text: "bytes" a ${role} delivers text as its UTF-8, distinguishable from binary`, () => {
    const harness = new Harness({ role, text: "bytes" });
    const messages: Message[] = [];
    void harness.connection.forEach((message) => void messages.push(message));
    const halves = [Buffer.from("ü€").subarray(0, 1), Buffer.from("ü€").subarray(1)] as const;
    harness.deliver(
      harness.text("whole ü€"),
      harness.text(""),
      harness.binary(Buffer.from("binary")),
      harness.frame({ opcode: OPCODE.text, payload: halves[0], isFinal: false }),
      harness.frame({ opcode: OPCODE.continuation, payload: halves[1] }),
    );
    // The comparison includes the class.
    const binary = new Uint8Array(Buffer.from("binary"));
    assert.deepEqual(messages, [utf8("whole ü€"), utf8(""), binary, utf8("ü€")]);
    assert.deepEqual(messages.map(String), ["whole ü€", "", String(binary), "ü€"]);
  });

  test(`E1: with text: "bytes" a ${role} still fails text that is not UTF-8 (RFC 6455 section 8.1)`, async () => {
    for (const bad of [Buffer.from("ab\xff", "latin1"), Buffer.alloc(5000, 0xe2)]) {
      const harness = new Harness({ role, text: "bytes" });
      harness.deliver(harness.frame({ opcode: OPCODE.text, payload: bad }));
      harness.transport.eof();
      const { cause, sent } = await harness.end();
      assert.deepEqual([cause, sent?.code], ["invalid-data", 1007]);
    }
  });

  test(`E5: TextBytes that a ${role} sends is text, of exactly its bytes; other bytes are refused`, async () => {
    const harness = new Harness({ role });
    const large = "0123456789ü€😀".repeat(10_000);
    for (const text of ["", "short ü", large]) await harness.connection.send(utf8(text));
    harness.clock.turn();
    assert.deepEqual(
      harness.sentFrames().map(({ opcode, payload }) => [opcode, Buffer.from(payload).toString()]),
      ["", "short ü", large].map((text) => [OPCODE.text, text]),
    );
    await assert.rejects(harness.connection.send(new TextBytes([0x61, 0xff])), InvalidArgumentError);
    assert.deepEqual([harness.connection.state, harness.sentFrames()], ["open", []]);
  });
}

test("E3: unread text is a separate copy, and still text", async () => {
  const harness = new Harness({ text: "bytes" });
  harness.deliver(harness.text("first"), harness.text("second"), harness.binary(Buffer.alloc(4096)));
  const waited = [await harness.connection.recv(), await harness.connection.recv()];
  assert.deepEqual(waited, [utf8("first"), utf8("second")]);
  assert(waited.every((message) => message instanceof TextBytes && message.buffer.byteLength < 64));
});

for (const isAwaited of [false, true]) {
  test(`E1, E3: empty messages stay text or binary, each with memory of its own (${isAwaited ? "awaited" : "queued"})`, async () => {
    const harness = new Harness({ text: "bytes" });
    const inTwo = (opcode: number): Uint8Array[] => [
      harness.frame({ opcode, isFinal: false }),
      harness.frame({ opcode: OPCODE.continuation }),
    ];
    const frames = [harness.text(""), harness.binary(""), ...inTwo(OPCODE.text), ...inTwo(OPCODE.binary)];
    for (let round = 0; round < 2; round++) {
      const messages: Uint8Array[] = [];
      const aborter = new AbortController();
      const take = (message: Message): void => {
        if (typeof message !== "string") messages.push(message);
      };
      if (!isAwaited) harness.deliver(...frames);
      const reading = harness.connection.forEach(take, { signal: aborter.signal });
      if (isAwaited) harness.deliver(...frames);
      aborter.abort();
      await assert.rejects(reading);
      assert.deepEqual(messages, [utf8(""), new Uint8Array(), utf8(""), new Uint8Array()]);
      // Throws if another message has the same memory.
      for (const { buffer } of messages) structuredClone(buffer, { transfer: [buffer] });
    }
  });
}

test("E1: received text is forwarded as text, compressed or not, without decoding it", async () => {
  const options = { host: "127.0.0.1", text: "bytes", compression: true } as const;
  await using server = await serve(
    (connection) => connection.forEach((message) => connection.send(message)),
    options,
  );
  await using plain = await connect(server.url, { compression: false });
  await using compressed = await connect(server.url, { compression: true });
  await fc.assert(
    fc.asyncProperty(anyText(50), fc.nat(200), async (text, count) => {
      const message = text.repeat(count);
      for (const connection of [plain, compressed]) {
        await connection.send(message);
        assert.equal(await connection.recv(), message);
      }
    }),
    { numRuns: 50 },
  );
});

test("E1: the events of a client say that an empty text is text", async () => {
  await using server = await serve(
    async (connection) => {
      for (const message of ["", "x", "", new Uint8Array()]) await connection.send(message);
    },
    { host: "127.0.0.1" },
  );
  const seen: unknown[] = [];
  for await (const event of new Client(server.url, { text: "bytes" })) {
    if (event.type === "ready") await new Promise(setImmediate); // The messages may wait.
    if (event.type === "text") seen.push(event.text);
    if (event.type === "binary") seen.push(event.data.length);
  }
  assert.deepEqual(seen, ["", "x", "", 0]);
});

test("G5: TextBytes is broadcast as text, compressed or not; bytes that are no text are refused", async () => {
  await using server = await serve(() => undefined, { host: "127.0.0.1", compression: true });
  await using plain = await connect(server.url, { compression: false });
  await using compressed = await connect(server.url, { compression: true });
  await eventually(() => server.connections.size === 2, "both connections");
  const text = "broadcast ü€😀 ".repeat(100);
  assert.equal(server.broadcast(utf8(text)).sent, 2);
  assert.deepEqual([await plain.recv(), await compressed.recv()], [text, text]);
  assert.throws(() => server.broadcast(new TextBytes([0x61, 0xff])), InvalidArgumentError);
});
