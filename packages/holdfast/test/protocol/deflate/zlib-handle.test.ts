import assert from "node:assert/strict";
import { test } from "node:test";
import { constants, createDeflateRaw, createInflateRaw, deflateRawSync, inflateRawSync } from "node:zlib";
import { ZlibHandle } from "../../../build/protocol/deflate/zlib-handle.js";
import { contentOf } from "./contents.js";

const { Z_FINISH, Z_SYNC_FLUSH } = constants;

test("E8: a handle continues its stream from run to run, and starts anew when it is reset", () => {
  const handle = new ZlibHandle(createDeflateRaw());
  const message = contentOf("text", 3000);
  const [first, second] = [
    handle.run(message, Z_SYNC_FLUSH, 0, 9999),
    handle.run(message, Z_SYNC_FLUSH, 0, 9999),
  ];
  assert(second.length * 10 < first.length, `${first.length}, then ${second.length} bytes`);
  const inflated = inflateRawSync(Buffer.concat([first, second]), { finishFlush: Z_SYNC_FLUSH });
  assert.deepEqual(inflated, Buffer.concat([message, message]));
  handle.reset();
  assert.deepEqual(handle.run(message, Z_SYNC_FLUSH, 0, 9999), first);
  handle.close();
});

test("E8: a handle returns any size of output, without the bytes at its start that the caller skips", () => {
  const handle = new ZlibHandle(createInflateRaw());
  // Around the size of the memory into which all handles write.
  for (const size of [1, 98_303, 98_304, 98_305, 196_608, 500_000]) {
    const content = Buffer.concat([new Uint8Array(size - 1), Buffer.of(7)]);
    for (const skipped of [0, Math.min(size, 32_768)]) {
      handle.reset();
      const output = handle.run(deflateRawSync(content), Z_FINISH, skipped, size - skipped);
      assert(output.equals(content.subarray(skipped)), `${size} bytes, ${skipped} skipped`);
    }
    handle.reset();
    assert.throws(() => handle.run(deflateRawSync(content), Z_FINISH, 0, size - 1), {
      code: "ERR_BUFFER_TOO_LARGE",
    });
  }
  handle.close();
});

test("E8: the output of one run stays as it is during the next one", () => {
  const handle = new ZlibHandle(createInflateRaw());
  const outputs = [1, 2, 3].map((value) => {
    handle.reset();
    return handle.run(deflateRawSync(Buffer.alloc(9, value)), Z_FINISH, 0, 9999);
  });
  assert.deepEqual(
    outputs,
    [1, 2, 3].map((value) => Buffer.alloc(9, value)),
  );
  handle.close();
});

test("E8: a handle counts the input after the end of its stream", () => {
  const handle = new ZlibHandle(createInflateRaw());
  const stream = deflateRawSync("Hello");
  assert.deepEqual(
    handle.run(Buffer.concat([stream, Buffer.alloc(4)]), Z_FINISH, 0, 9999),
    Buffer.from("Hello"),
  );
  assert.equal(handle.unread, 4);
  handle.close();
});

test("E8: a handle throws the error of zlib, and Node does not report it a second time", async () => {
  const engine = createInflateRaw();
  const handle = new ZlibHandle(engine);
  const events: unknown[] = [];
  engine.on("error", (error) => events.push(error));
  assert.throws(() => handle.run(Buffer.of(0xff), Z_FINISH, 0, 9999), {
    code: "Z_DATA_ERROR",
    errno: constants.Z_DATA_ERROR,
    message: "invalid block type",
  });
  handle.close();
  handle.close();
  await new Promise(setImmediate);
  assert.deepEqual(events, []);
});

test("E8: an engine without the undocumented parts is refused", () => {
  const documented = { reset: () => undefined, close: () => undefined, on: () => undefined };
  assert.throws(() => new ZlibHandle(documented), /Expected a zlib stream with a handle of Node/);
});
