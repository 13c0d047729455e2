// A terminal client that sends each line of its input and prints each message. With --heartbeat it also pings
// the server, and disconnects if a pong takes too long.
//
//   npm run example -- heartbeat-client ws://localhost:8080
//   npm run example -- heartbeat-client ws://localhost:8080 --heartbeat --timeout 2000 --interval 1000
//
// Exits with 0 after a clean close (Ctrl-D), and otherwise with 1 and the reason.

import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { connect, ConnectionClosed, explain, TooSlowError, withHeartbeat, type Connection } from "holdfast";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    heartbeat: { type: "boolean", default: false },
    timeout: { type: "string", default: "2000" },
    interval: { type: "string", default: "1000" },
  },
});
const times = { timeout: Number(values.timeout), interval: Number(values.interval) };

const connection = await connect(positionals[0] ?? "ws://localhost:8080");
console.log(`Connected to ${connection.url}`);
try {
  if (values.heartbeat) await withHeartbeat(connection, times, (signal) => talk(connection, signal));
  else await talk(connection, connection.signal);
  console.log(`Latency: ${connection.latency?.toFixed(1) ?? "unknown"} ms`);
} catch (error) {
  process.exitCode = 1;
  if (error instanceof TooSlowError) {
    console.error(`Too slow: ${error.message}`);
    connection.terminate(); // Do not wait for a peer that is gone.
  } else if (error instanceof ConnectionClosed) {
    console.error(explain(error.info));
  } else {
    throw error;
  }
}

/** Ends when the input or the connection does. */
async function talk(peer: Connection, signal: AbortSignal): Promise<void> {
  const input = createInterface({ input: process.stdin, signal });
  // No error for a line that can no longer be sent: the loop below reports how the connection ended.
  input.on("line", (line) => void peer.send(line).catch(() => undefined));
  input.on("close", () => void peer.close());
  try {
    for await (const message of peer) console.log(`< ${String(message)}`);
  } finally {
    input.close();
  }
}
