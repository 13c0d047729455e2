import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { connect } from "../../build/index.js";
import type { Bytes } from "../../build/connection/arguments.js";
import { Harness, ROLES } from "../connection/harness.js";
import { echoServer } from "./servers.js";

/** A buffer with a secret before and after the eight bytes to send. */
const SECRET = 0x53;
const SENT = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

function surrounded<Buffer extends ArrayBufferLike>(buffer: Buffer): Buffer {
  new Uint8Array(buffer).fill(SECRET);
  new Uint8Array(buffer).set(SENT, 16);
  return buffer;
}

/** Every way to pass these eight bytes. */
function views(): Readonly<Record<string, Bytes>> {
  const own = surrounded(new ArrayBuffer(64));
  const shared = surrounded(new SharedArrayBuffer(64));
  // ES2024: Node supports it, but the compiler's library lacks it.
  const resizable = surrounded(Reflect.construct(ArrayBuffer, [64, { maxByteLength: 128 }]) as ArrayBuffer);
  return {
    ArrayBuffer: SENT.slice().buffer,
    Uint8Array: new Uint8Array(own, 16, 8),
    Uint8ClampedArray: new Uint8ClampedArray(own, 16, 8),
    Int16Array: new Int16Array(own, 16, 4),
    Uint32Array: new Uint32Array(own, 16, 2),
    BigUint64Array: new BigUint64Array(own, 16, 1),
    Float64Array: new Float64Array(own, 16, 1),
    DataView: new DataView(own, 16, 8),
    Buffer: Buffer.from(own, 16, 8),
    "a subarray of a subarray": new Uint8Array(own, 8, 40).subarray(4).subarray(4, 12),
    "Uint8Array on shared memory": new Uint8Array(shared, 16, 8),
    "Float64Array on shared memory": new Float64Array(shared, 16, 1),
    "DataView on shared memory": new DataView(shared, 16, 8),
    "Uint8Array on resizable memory": new Uint8Array(resizable, 16, 8),
    // Tests in a VM context, and frames of a browser, have their own classes.
    "Uint8Array of another realm": runInNewContext("Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)") as Uint8Array,
  };
}

for (const role of ROLES) {
  test(`H: a view sends exactly its bytes as message, ping and pong of a ${role}, and keeps them (RFC 6455 section 5.6)`, () => {
    for (const [name, view] of Object.entries(views())) {
      const before = Buffer.from(ArrayBuffer.isView(view) ? view.buffer : view).toString("hex");
      const h = new Harness({ role });
      void h.connection.send(view);
      void h.connection.ping(view);
      h.connection.pong(view);
      h.clock.turn();
      assert.deepEqual(
        h.sentFrames().map(({ payload }) => payload),
        [SENT, SENT, SENT],
        name,
      );
      assert.equal(Buffer.from(ArrayBuffer.isView(view) ? view.buffer : view).toString("hex"), before, name);
    }
  });
}

test("H: large views, which a server hands to the socket without a copy, send exactly their bytes", async () => {
  await using server = await echoServer({ maxMessageSize: null });
  await using connection = await connect(server.url, { maxMessageSize: null });
  for (const Memory of [ArrayBuffer, SharedArrayBuffer]) {
    const memory = new Memory(1024 * 1024);
    new Uint8Array(memory).fill(SECRET);
    const view = new Float64Array(memory, 4096, 50_000);
    for (let index = 0; index < view.length; index++) view[index] = index;
    const expected = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
    for (const sender of [connection, ...server.connections]) {
      await sender.send(view);
      const received = await connection.recv({ timeout: 30_000 });
      assert(received instanceof Uint8Array && expected.equals(received));
    }
  }
});

test("H: the reason of a Close is text: a view of memory is refused", async () => {
  for (const [name, view] of Object.entries(views())) {
    const h = new Harness();
    await assert.rejects(h.connection.close(1000, view as unknown as string), {
      name: "InvalidArgumentError",
      message: "Expected `reason` to be a string, got an object.",
    });
    h.clock.turn();
    assert.deepEqual([h.sent(), h.connection.state], [[], "open"], name);
  }
});

/** `Buffer(number)` once returned uninitialised memory of that length. */
const NO_PAYLOADS: readonly unknown[] = [
  0,
  1,
  1e9,
  -1,
  1.5,
  NaN,
  10n,
  true,
  null,
  Symbol("payload"),
  () => 5,
  {},
  { length: 1e9 },
  { byteLength: 1e9, byteOffset: 0, buffer: {} },
  { type: "Buffer", data: [1, 2, 3] },
  Object(5),
  new Date(5),
];

test("H: numbers, and whatever else is neither text nor bytes, are refused as payloads, and nothing is sent", async () => {
  for (const value of NO_PAYLOADS) {
    const h = new Harness();
    const { connection } = h;
    const refused = { name: "InvalidArgumentError", code: "ERR_HOLDFAST_INVALID_ARGUMENT" };
    await assert.rejects(connection.send(value as string), refused);
    // A ping without a payload gets one from the library.
    if (value !== null) await assert.rejects(connection.ping(value as string), refused);
    assert.throws(() => connection.pong(value as string), refused);
    await assert.rejects(connection.close(1000, value as string), refused);
    if (value !== null) await assert.rejects(connection.close(value as number), refused);
    h.clock.turn();
    assert.deepEqual([h.sent(), connection.state, connection.bufferedAmount], [[], "open", 0]);
  }
});

test("H: close codes that are text, fractions or beyond 16 bits are refused, and nothing is sent", async () => {
  for (const code of ["1000", 1000.5, 66_536, -1000, 2 ** 32 + 1000, Infinity, Object(1000) as unknown]) {
    const h = new Harness();
    await assert.rejects(h.connection.close(code as number), { name: "InvalidArgumentError" });
    h.clock.turn();
    assert.deepEqual([h.sent(), h.connection.state], [[], "open"]);
  }
});

test("H: memory that was given away has no bytes to send: it is refused like anything else", async () => {
  const detached = () => {
    const buffer = new ArrayBuffer(8);
    const list: readonly Bytes[] = [buffer, new DataView(buffer), new Uint8Array(buffer, 2)];
    structuredClone(buffer, { transfer: [buffer] });
    return list;
  };
  for (const value of detached()) {
    const h = new Harness();
    const refused = { name: "InvalidArgumentError" };
    await assert.rejects(h.connection.send(value), refused);
    await assert.rejects(h.connection.ping(value), refused);
    assert.throws(() => h.connection.pong(value), refused);
    h.clock.turn();
    assert.deepEqual([h.sent(), h.connection.state], [[], "open"]);
  }
});
