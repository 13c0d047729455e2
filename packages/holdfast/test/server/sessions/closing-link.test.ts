import assert from "node:assert/strict";
import { test } from "node:test";
import { closePayload, frame, OPCODE } from "holdfast-testkit";
import { NotSentError, serve, type Server } from "../../../build/index.js";
import { SessionPeer } from "./session-peer.js";

async function* pieces(): AsyncGenerator<string> {
  yield "d";
  yield "e";
}

test("L1: what is sent between the Close frames of a socket and its end goes on the next one", async () => {
  const inTime: (boolean | undefined)[] = [];
  const sends: Promise<void>[] = [];
  const streams: Promise<void>[] = [];
  const server: Server = await serve(
    (connection) =>
      connection.forEach(async () => {
        await Promise.resolve(); // The Close is in the same segment: it is answered by now, and the socket has not ended.
        inTime.push(connection.session?.isAttached);
        sends.push(connection.send("a"), connection.send(new Uint8Array([98])));
        server.broadcast("c");
        streams.push(connection.send(pieces()));
      }),
    { host: "127.0.0.1", pingInterval: null, sessions: true },
  );
  try {
    const peer = await SessionPeer.connect(server.port);
    const ticket = await peer.open();
    await peer.expect("^spread 100");
    const payload = closePayload(4001, "suspended");
    peer.raw.write(
      Buffer.concat([
        frame({ opcode: OPCODE.text, payload: "x", mask: true }),
        frame({ opcode: OPCODE.close, payload, mask: true }),
      ]),
    );
    await peer.expect("close 4001 suspended");
    await peer.close();
    const later = await SessionPeer.connect(server.port);
    later.resume(ticket, 0, 2);
    await later.expect("^resumed 1", "^spread 100", "^replay 3", "a", "b", "c");
    assert.deepEqual(inTime, [true]);
    later.word("ack 3");
    await Promise.all(sends);
    // It cannot be kept.
    await assert.rejects(streams[0], (error) => error instanceof NotSentError && error.outcome === "unsent");
    await later.close();
  } finally {
    await server.close({ timeout: 0 });
  }
});
