// `npm run example -- operations`: the server of server.ts. PORT, and HOST if it should not listen on all addresses.

import { startServer } from "./server.js";

const { server, announceEnd } = await startServer(Number(process.env["PORT"] ?? 8080), process.env["HOST"]);
console.log(`Listening on ${server.url}`);

/** Milliseconds. Together less than the time until SIGKILL: see deploy/. */
const spread = Number(process.env["SPREAD"] ?? 10_000);
const timeout = spread + 5_000;

process.once("SIGTERM", () => {
  announceEnd();
  const hurry = new AbortController();
  process.once("SIGTERM", () => hurry.abort());
  void server.close({ reason: "update", spread, timeout, signal: hurry.signal });
});
