// Holdfast with adaptive detection on one host of a bad link. The server echoes. The client sends a message every 500 ms
// on a connection without a session and on a persistent one with a session, and reports events as lines of JSON.

import process from "node:process";
import { connect, connectPersistent, serve } from "holdfast";

const [role, address = ""] = process.argv.slice(2);

function report(event: string, details: object = {}): void {
  process.stdout.write(`${JSON.stringify({ event, at: Date.now(), ...details })}\n`);
}

process.stdin.on("end", () => process.exit(0)).resume();

if (role === "server") {
  const server = await serve(
    async (connection) => {
      connection.on("suspect", (suspicion) => report("server suspect", suspicion));
      const { cause } = await connection.forEach((message) => connection.send(message));
      report("server closed", { cause });
    },
    { host: address, sessions: true, detection: "adaptive" },
  );
  report("listening", { url: server.url });
} else {
  const plain = await connect(address, { detection: "adaptive" });
  plain.on("suspect", (suspicion) => report("suspect", suspicion));
  void plain
    .forEach(() => undefined)
    .then(({ cause, evidence: { deadAfter, latency, longestStall } }) =>
      report("closed", { cause, deadAfter, smoothed: latency.smoothed, longestStall }),
    );
  const persistent = connectPersistent(address, { detection: "adaptive", session: true });
  persistent.on("suspect", (suspicion) => report("persistent suspect", suspicion));
  persistent.on("resumed", () => report("resumed"));
  persistent.on("lost", ({ reason }) => report("lost", { reason }));
  persistent.on("disconnected", ({ info: { cause } }) => report("disconnected", { cause }));
  let [sent, received, isSuspected] = [0, 0, false];
  persistent.on("suspect", () => (isSuspected = true));
  void persistent.forEach((message) => {
    if (Number(message) !== received++) report("disorder", { message, expected: received - 1 });
    if (isSuspected) report("usable");
    isSuspected = false;
  });
  setInterval(() => {
    if (plain.state === "open") plain.send("hello").catch(() => undefined);
    persistent.send(String(sent++)).catch(() => undefined);
  }, 500);
  setInterval(() => report("alive", { sent, received, smoothed: plain.latencyStats.smoothed }), 10_000);
  report("ready");
}
