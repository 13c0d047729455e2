import assert from "node:assert/strict";
import { test } from "node:test";
import { activeResources, assertNothingLeft, OPCODE, RawClient } from "holdfast-testkit";
import { startEchoServer } from "./echo-server.js";

const COMMAND = { host: "127.0.0.1", port: 0, maxMessageSize: null, isCompressing: false };

test("The echo server answers text with text, binary with binary, and sends nothing of its own", async () => {
  const before = activeResources();
  const server = await startEchoServer(COMMAND);
  await using client = await RawClient.connect({ port: server.port });
  await client.upgrade({ headers: { "Sec-WebSocket-Extensions": "permessage-deflate" } });
  const large = new Uint8Array(17 * 1024 * 1024).fill(7);
  const messages = [
    { opcode: OPCODE.text, payload: Buffer.from("é") },
    { opcode: OPCODE.binary, payload: Buffer.of(0xff, 0) },
    { opcode: OPCODE.text, payload: Buffer.of() },
    { opcode: OPCODE.binary, payload: large },
  ];
  for (const { opcode, payload } of messages) {
    client.sendFrame({ opcode, payload });
    const echoed = await client.readFrame({ timeout: 30_000 });
    assert.deepEqual([echoed.opcode, echoed.isFinal, echoed.rsv], [opcode, true, 0]);
    assert(payload.length === echoed.payload.length && Buffer.from(payload).equals(echoed.payload));
  }
  client.sendFrame({ opcode: OPCODE.text, payload: "frag", isFinal: false });
  client.sendPing("p");
  client.sendFrame({ opcode: OPCODE.continuation, payload: "ments" });
  assert.equal((await client.readFrame()).opcode, OPCODE.pong);
  assert.equal(Buffer.from((await client.readFrame()).payload).toString(), "fragments");
  client.sendClose(1000);
  assert.equal((await client.readFrame()).opcode, OPCODE.close);
  await client.close();
  await server.close();
  await assertNothingLeft(before);
});
