// Holdfast as a peer: on another runtime, or on another host.
// Settings: `options` for connect() and serve(), `host` to listen on, `tls`.

import process from "node:process";
import {
  connect,
  type Connection,
  type ConnectOptions,
  InvalidStatusError,
  serve,
  type ServeOptions,
} from "holdfast";
import { endWithStdin, forEachURL, report, role, settings } from "./harness.js";
import { type NamedScript, scriptOf } from "./script-of.js";

// The test that starts this program chooses them.
const options = settings["options"] as ServeOptions & ConnectOptions;
const { tls } = settings;

async function play(connection: Connection, script: NamedScript): Promise<void> {
  const { id } = script;
  switch (script.do) {
    case "fragments": {
      await connection.send(["Grü", "ße, ", "", "世界"]);
      await connection.send([Uint8Array.of(0, 1), Uint8Array.of(), Uint8Array.of(2)]);
      break;
    }
    case "ping": {
      report({ event: "pong", id, latency: await connection.ping() });
      break;
    }
    case "close": {
      await connection.close(script.code, script.reason);
      break;
    }
    case "flood": {
      for (let sent = 0; sent < script.bytes; sent += FLOOD.length)
        connection.send(FLOOD).catch(() => undefined);
      break;
    }
    case "stall": {
      connection.on("suspended", () => report({ event: "suspended", id }));
      await connection.ping();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, script.milliseconds);
      break;
    }
    case "doze": {
      await new Promise((resolve) => setTimeout(resolve, script.milliseconds));
      break;
    }
    case "abort":
    case "echo":
    case "heartbeat":
    // Its options cause this behaviour.
  }
  const info = await connection.forEach((message) => connection.send(message));
  const { message: says, received, sent, cause } = info;
  const { longestStall } = info.evidence;
  report({ event: "closed", id, says, received, sent, cause, longestStall, endedAt: Date.now() });
}

const FLOOD = new Uint8Array(512 * 1024);

async function open(url: string, script: NamedScript): Promise<void> {
  const signal = script.do === "abort" ? AbortSignal.timeout(100) : null;
  try {
    await play(await connect(url, { ...options, tls, signal }), script);
  } catch (error) {
    const status = error instanceof InvalidStatusError ? { status: error.status } : {};
    report({ event: "failed", id: script.id, says: String(error), ...status });
  }
}

if (role === "server") {
  endWithStdin();
  const host = typeof settings["host"] === "string" ? settings["host"] : "127.0.0.1";
  const server = await serve((connection) => play(connection, scriptOf(connection.request.target)), {
    ...options,
    host,
    tls,
  });
  report({ event: "listening", port: server.port });
} else {
  forEachURL(open);
}

process.on("uncaughtException", (error) => {
  process.stderr.write(`uncaught: ${String(error.stack)}\n`);
  process.exit(1);
});
