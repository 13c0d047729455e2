// Takes orders from clients with sessions. Each order is booked exactly once, also when the network is cut or this
// server is restarted.
//
//   npm run example -- session-server 8080 ./orders
//   npm run example -- session-client ws://localhost:8080 500
//
// Restart it (Ctrl-C, and the same command) while the client runs.

import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileStore, serve } from "holdfast";

const [port = "8080", folder = "orders"] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

interface Booking {
  readonly session: string;
  readonly position: number;
  readonly order: string;
}

/** A file with a line for each order. The line is the effect, and says which message had it. */
const file = openSync(join(folder, "orders.ndjson"), "a+");
const bookings = readFileSync(file, "utf8").split("\n").slice(0, -1);
const booked = new Map<string, number>();
for (const line of bookings) remember(JSON.parse(line) as Booking);
let count = bookings.length;

const server = await serve(
  (connection) => {
    console.log(`${connection.session?.id ?? "no session"} connected`);
    connection.on("detached", ({ info }) => console.log(`detached: ${info.cause}`));
    connection.on("lost", ({ reason }) => console.log(`lost: ${reason}`));
    return connection.forEach(async (message) => {
      const { session } = connection;
      if (message === "count") await connection.send(String(count));
      else if (session === null) await connection.close(1008, "Use a session");
      else book({ session: session.id, position: session.position, order: String(message) });
    });
  },
  {
    port: Number(port),
    sessions: { durability: "shutdown", store: fileStore({ directory: join(folder, "sessions") }) },
  },
);
console.log(`Listening on ${server.url}`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // Saves the sessions.
  process.once(signal, () => void server.close().then(() => closeSync(file)));
}

/** One write commits the order together with its position, so it is never booked twice. */
function book(booking: Booking): void {
  if (booking.position <= (booked.get(booking.session) ?? 0)) return;
  writeSync(file, `${JSON.stringify(booking)}\n`);
  fsyncSync(file);
  remember(booking);
  count++;
}

function remember({ session, position }: Booking): void {
  booked.set(session, position);
}
