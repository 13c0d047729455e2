// Tokens that expire: each attempt sends the current token, and a refused token is replaced by a fresh one.
// If the server refuses a fresh token too, the client stops: further attempts would only get the account
// locked.
//
//   npm run example -- token-refresh               with a local server whose tokens are valid for one session
//   npm run example -- token-refresh --banned      with a server that refuses every token
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
/** Whether the current attempt is the first one with this token. */
let isFresh = false;

const client = new Client(server.url, {
  // The signal aborts when the attempt is abandoned, and the token is no longer needed.
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

/** Called at the end of each attempt. If no token is left, the next attempt fetches one. */
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

/** The server: issues tokens to anyone, and expires each token at the end of the session that it opened. */
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
