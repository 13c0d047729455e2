// `npm run example -- pages [PORT]`: the page with React, and the one with a SharedWorker.

import { fileURLToPath } from "node:url";
import { startDevServer } from "./dev-server.js";

const server = await startDevServer(
  fileURLToPath(new URL("..", import.meta.url)),
  Number(process.argv[2] ?? 8080),
);
console.log(`Listening on ${server.url}/ and ${server.url}/shared-worker.html`);
process.once("SIGINT", () => void server[Symbol.asyncDispose]());
