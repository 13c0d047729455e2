// A feed that requires heartbeat messages: it disconnects clients that send no {"op":"heartbeat"} for a
// while, even if they answer pings. keepalive() sends them until the connection ends.
//
//   npm run example -- third-party-heartbeat                    a local feed, for ten ticks
//   npm run example -- third-party-heartbeat --no-heartbeat     shows how the feed reacts without heartbeats
//   npm run example -- third-party-heartbeat wss://feed.example/v1 --interval 15000

import { parseArgs } from "node:util";
import { connect, ConnectionClosed, explain, keepalive, serve, type Server } from "holdfast";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "no-heartbeat": { type: "boolean", default: false },
    interval: { type: "string", default: "250" },
    ticks: { type: "string", default: "10" },
  },
});

const feed = positionals[0] === undefined ? await startFeed() : null;
const connection = await connect(positionals[0] ?? feed?.url ?? "");
try {
  await connection.send(JSON.stringify({ op: "subscribe", channel: "ticks" }));
  const heartbeats = values["no-heartbeat"] ? null : sendHeartbeats();
  await readTicks(Number(values.ticks));
  await connection.close();
  await heartbeats; // Resolves when the connection has ended.
} catch (error) {
  if (!(error instanceof ConnectionClosed)) throw error;
  console.error(explain(error.info));
  process.exitCode = 1;
} finally {
  await connection.close();
  await feed?.close();
}

function sendHeartbeats(): Promise<void> {
  return keepalive(connection, {
    interval: Number(values.interval),
    message: (n) => JSON.stringify({ op: "heartbeat", n }),
  });
}

async function readTicks(count: number): Promise<void> {
  let ticks = 0;
  for await (const message of connection) {
    const { op, price } = JSON.parse(String(message)) as { op: string; price?: number };
    if (op !== "tick") continue; // The feed's answers to our heartbeats.
    console.log(`tick ${++ticks}: ${price ?? "no price"}`);
    if (ticks === count) return;
  }
}

/**
 * A local feed, so that the example needs no other server: a tick every 100 ms, and a deadline of one second
 * for heartbeats.
 */
function startFeed(): Promise<Server> {
  return serve(
    async (client) => {
      const cutOff = (): void => void client.close(4008, "no heartbeat");
      let deadline = setTimeout(cutOff, 1_000);
      const ticker = setInterval(() => {
        const tick = { op: "tick", price: Math.round(10_000 + 100 * Math.random()) / 100 };
        void client.send(JSON.stringify(tick)).catch(() => undefined);
      }, 100);
      try {
        for await (const message of client) {
          if ((JSON.parse(String(message)) as { op: string }).op !== "heartbeat") continue;
          clearTimeout(deadline);
          deadline = setTimeout(cutOff, 1_000);
          await client.send(JSON.stringify({ op: "ack" }));
        }
      } finally {
        clearTimeout(deadline);
        clearInterval(ticker);
      }
    },
    { host: "127.0.0.1" },
  );
}
