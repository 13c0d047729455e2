// A chat: a server, and a terminal client for each person.
//
//   npm run example -- chat serve 8080
//   npm run example -- chat join ws://localhost:8080 Ada

import { createInterface } from "node:readline";
import { connect, ConnectionClosed, explain, serve, type ServerConnection } from "holdfast";

/** Unsent bytes per member; a member that reads more slowly is closed with "try again later". */
const MAX_BACKLOG = 256 * 1024;

const [role, ...args] = process.argv.slice(2);
if (role === "serve") await host(Number(args[0] ?? 8080));
else if (role === "join") await join(args[0] ?? "ws://localhost:8080", args[1] ?? "somebody");
else {
  console.error("chat serve [PORT] | chat join [URL] [NAME]");
  process.exitCode = 2;
}

async function host(port: number): Promise<void> {
  const server = await serve(
    async (member) => {
      const { searchParams } = new URL(member.request.target, "ws://chat");
      const name = searchParams.get("name")?.slice(0, 40) ?? "somebody";
      tellAll(`* ${name} is here`);
      try {
        for await (const message of member) {
          if (typeof message === "string") tellAll(`${name}: ${message}`, member); // The sender already sees it.
        }
      } finally {
        tellAll(`* ${name} has left`); // For any reason.
      }
    },
    { port, maxMessageSize: 4 * 1024 },
  );
  console.log(`Listening on ${server.url}`);
  process.once("SIGINT", () => void server.close());

  function tellAll(line: string, except: ServerConnection | null = null): void {
    console.log(line);
    server.broadcast(line, { except, slow: "close", limit: MAX_BACKLOG });
  }
}

async function join(url: string, name: string): Promise<void> {
  const room = new URL(url);
  room.searchParams.set("name", name);
  const connection = await connect(room);
  const input = createInterface({ input: process.stdin });
  input.on("line", (line) => void connection.send(line).catch(() => undefined));
  input.on("close", () => void connection.close());
  try {
    for await (const message of connection) console.log(String(message));
  } catch (error) {
    if (!(error instanceof ConnectionClosed)) throw error;
    console.error(explain(error.info));
    process.exitCode = 1;
  } finally {
    input.close();
  }
}
