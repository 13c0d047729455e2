// One process that serves the page's files, the WebSocket server for the page, and a breakable network for
// each page.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { attach } from "holdfast";
import { Feed } from "./feed.js";
import { fileOf } from "./files.js";
import { FAULTS } from "./page/stage-description.js";
import { isFault, Stages } from "./stages.js";

/** The page sends no longer request body. */
const MAX_BODY = 1_024;

export interface Site extends AsyncDisposable {
  readonly url: string;
  /** Ends every connection and every page's network. Idempotent. */
  close(): Promise<void>;
}

/** @param options `port`: 0 for any free port */
export async function startSite({ port = 0 }: { readonly port?: number } = {}): Promise<Site> {
  const http = createServer((request, response) => {
    answer(request, response, stages).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  http.listen(port, "127.0.0.1");
  await once(http, "listening");
  const address = http.address() as AddressInfo; // The server listens on TCP.
  const url = `http://127.0.0.1:${address.port}`;
  const feed = new Feed();
  const stages = new Stages(address.port, feed);
  const server = attach(http, (connection) => feed.serve(connection), {
    path: "/counted",
    origins: [url],
    sessions: true,
    // Only the page judges. If the server did too, its heartbeat would end the other clients' connections.
    pingTimeout: null,
  });

  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => (closing ??= end());
  async function end(): Promise<void> {
    await stages.close();
    feed.stop();
    await server.close({ timeout: 1_000 });
    http.close();
    http.closeAllConnections();
  }
  return { url: `${url}/`, close, [Symbol.asyncDispose]: close };
}

async function answer(request: IncomingMessage, response: ServerResponse, stages: Stages): Promise<void> {
  const path = new URL(request.url ?? "/", "http://page").pathname;
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("Cache-Control", "no-store");
  if (request.method === "POST" && path === "/fault") await breakLink(request, response, stages);
  else if (request.method !== "GET") refuse(response, 405, "Expected GET, or POST to /fault");
  else if (path === "/stage") await stages.open(response);
  else await sendFile(path, response);
}

async function sendFile(path: string, response: ServerResponse): Promise<void> {
  const file = await fileOf(path);
  if (file === null) refuse(response, 404, "There is no such file");
  else response.setHeader("Content-Type", file.type).end(file.bytes);
}

/** `POST /fault { "stage": …, "kind": "freeze" }`. */
async function breakLink(request: IncomingMessage, response: ServerResponse, stages: Stages): Promise<void> {
  const body = await bodyOf(request);
  const { stage, kind } = Object(body) as Record<string, unknown>; // Both are checked here.
  if (body === null) refuse(response, 400, `Expected JSON of at most ${MAX_BODY} characters`);
  else if (!isFault(kind)) refuse(response, 400, `Expected \`kind\` to be one of ${FAULTS.join(", ")}`);
  else if (typeof stage !== "string" || !stages.apply(stage, kind)) {
    refuse(response, 404, "There is no such stage: load the page again");
  } else response.writeHead(204).end();
}

/** The parsed JSON; null if it is invalid or too long. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += String(chunk);
    if (text.length > MAX_BODY) return null;
  }
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${why}\n`);
}
