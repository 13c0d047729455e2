import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "../../../build/index.js";
import { SessionPeer } from "./session-peer.js";

test("L1: messages are acknowledged within ackDelay also after a cut that came before an ack was due", async () => {
  const server = await serve((connection) => connection.forEach(() => undefined), {
    host: "127.0.0.1",
    pingInterval: null,
    sessions: true,
  });
  try {
    const peer = await SessionPeer.connect(server.port);
    const ticket = await peer.open();
    await peer.expect("^spread 100");
    peer.send("a"); // The timer of its ack is running when the link is cut.
    peer.cut();
    const later = await SessionPeer.connect(server.port);
    later.resume(ticket, 0, 1);
    const resumed = await later.next();
    await later.expect("^spread 100", "^replay 0");
    if (resumed === "^resumed 0") later.send("a"); // The cut was faster.
    later.send("b");
    await later.expect("^ack 2");
    assert.match(resumed, /^\^resumed [01]$/);
    await later.close();
  } finally {
    await server.close({ timeout: 0 });
  }
});
