// `npm start -- web`: serves the page until Ctrl-C.

import { startSite } from "./site.js";

const DEFAULT_PORT = 8080;

const site = await startSite({ port: portOf(process.env["PORT"]) });
console.log(`Holdfast on a bad network: ${site.url}\nCtrl-C ends it.`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void site.close());

function portOf(text: string | undefined): number {
  if (text === undefined || text === "") return DEFAULT_PORT;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new RangeError(`Expected PORT to be a port from 0 to 65535, got ${JSON.stringify(text)}`);
}
