// Tokens that expire: each attempt shows the token at hand, and one that was refused is replaced by a fresh one.
// A fresh one that is refused as well is the end: asking again and again would only get the account locked.
//
//   npm run example -- token-refresh               against a server of its own, whose tokens are good for one session
//   npm run example -- token-refresh --banned      one that refuses every token
//   npm run example -- token-refresh --sessions 5

import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { Client, explain, InvalidStatusError, persist, serve, type CloseInfo, type Server } from "holdfast";

const { values } = parseArgs({
  options: {
    banned: { type: "boolean", default: false },
    sessions: { type: "string", default: "3" },
  },
});

const server = await startServer(values.banned);
let token: string | null = null;
/** Whether the attempt under way is the first to show it. */
let isFresh = false;

const client = new Client(server.url, {
  // The signal aborts when the attempt is given up: nobody waits for a token that nobody needs.
  headers: async (_attempt, signal) => {
    isFresh = token === null;
    token ??= await fetchToken(signal);
    return { Authorization: `Bearer ${token}` };
  },
});

let sessions = 0;
let ending: CloseInfo | null = null;
for await (const event of persist(client, { firstDelay: 100, retryable: isWorthAnotherAttempt })) {
  if (event.type === "text") console.log(`session ${++sessions}: ${event.text}`);
  if (event.type === "rejected") console.log(`refused with ${event.status}`);
  if (event.type === "disconnected") ending = event.info;
  if (sessions === Number(values.sessions)) void client.close();
}
await server.close();
if (ending?.ok === false) {
  console.error(explain(ending));
  process.exitCode = 1;
}

/** Asked at the end of each attempt: without a token at hand the next one fetches one. */
function isWorthAnotherAttempt(error: Error, byDefault: boolean): boolean {
  if (!(error instanceof InvalidStatusError) || error.status !== 401) return byDefault;
  if (isFresh) return false;
  token = null;
  return true;
}

async function fetchToken(signal: AbortSignal): Promise<string> {
  console.log("fetching a token");
  const response = await fetch(server.url.replace(/^ws/, "http"), { method: "POST", signal });
  if (!response.ok) throw new Error(`The server gave no token: ${response.status}`);
  return response.text();
}

/** The other side: gives tokens to whoever asks, and lets each of them expire with the session that it opened. */
function startServer(isBanned: boolean): Promise<Server> {
  const valid = new Set<string>();
  return serve(
    async (connection, request) => {
      await connection.send("welcome");
      await new Promise((resolve) => setTimeout(resolve, 100));
      valid.delete(tokenOf(request.headers));
    },
    {
      host: "127.0.0.1",
      onRequest: ({ isUpgrade, headers }) => {
        if (!isUpgrade) {
          const issued = randomUUID();
          valid.add(issued);
          return new Response(issued);
        }
        if (!isBanned && valid.has(tokenOf(headers))) return undefined;
        return new Response("Your token has expired.", {
          status: 401,
          headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' }, // RFC 6750 section 3.1
        });
      },
    },
  );
}

function tokenOf(headers: Headers): string {
  return headers.get("Authorization")?.replace(/^Bearer /, "") ?? "";
}
