// A client for taking notes, online or offline: each line of its input is a message, even without a
// connection. The server requires a token that is valid for one connection only, so each attempt fetches a
// new one.
//
//   npm run example -- persistent-notes serve 8080
//   npm run example -- persistent-notes join ws://localhost:8080
//
// Stop the server, type some lines, and start it again: the lines arrive, in order. Ctrl-D closes the
// connection.

import { createInterface } from "node:readline";
import { connectPersistent, NotSentError, serve, type PersistentStatus } from "holdfast";

const [role, where] = process.argv.slice(2);
if (role === "serve") await keepNotes(Number(where ?? 8080));
else if (role === "join") await takeNotes(where ?? "ws://localhost:8080");
else {
  console.error("persistent-notes serve [PORT] | persistent-notes join [URL]");
  process.exitCode = 2;
}

async function takeNotes(url: string): Promise<void> {
  const link = connectPersistent(`${url}/`, {
    headers: async (attempt) => ({ Authorization: `Bearer ${await freshToken(attempt)}` }),
    // Sent before all queued messages, on each connection.
    onOpen: (connection, { isFirst }) => connection.send(isFirst ? "* hello" : "* back again"),
    queue: { messages: 1_000 },
    timeToLive: 10 * 60_000, // An older note is not useful any more.
    firstDelay: 500,
    maxDelay: 5_000,
  });
  link.on("status", (status) => console.log(describe(status)));

  const input = createInterface({ input: process.stdin, signal: link.signal });
  input.on("line", (line) => {
    link.send(line).catch((error: unknown) => {
      const outcome = error instanceof NotSentError ? error.outcome : String(error);
      console.log(`! "${line}" may not have arrived: ${outcome}`);
    });
  });
  input.on("close", () => void link.close());

  for await (const message of link) console.log(`< ${String(message)}`);
}

function describe(status: PersistentStatus): string {
  switch (status.state) {
    case "waiting":
      return `* ${status.info.cause}: next attempt in ${Math.round(status.delay)} ms`;
    case "closed":
      return `* closed${status.error === null ? "" : `: ${status.error.message}`}`;
    default:
      return `* ${status.state}`;
  }
}

/** In a real application: requests a token from the service that issues them. */
function freshToken(attempt: number): Promise<string> {
  return Promise.resolve(`${process.pid}-${Date.now()}-${attempt}`);
}

async function keepNotes(port: number): Promise<void> {
  const used = new Set<string>();
  const server = await serve(
    async (connection) => {
      const token = connection.request.headers.get("Authorization") ?? "";
      if (token === "" || used.has(token)) {
        await connection.close(4401, "a token of its own for each connection");
        return;
      }
      used.add(token);
      await connection.forEach((note) => {
        console.log(String(note));
        return connection.send(`noted: ${String(note)}`);
      });
    },
    { port },
  );
  console.log(`Listening on ws://localhost:${server.port}`);
  process.once("SIGINT", () => void server.close({ code: 1012, reason: "back soon" }));
}
