// Holdfast attached to the HTTP server of a web framework.

import assert from "node:assert/strict";
import { Agent, request, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { attach, connect, InvalidStatusError, type Server } from "holdfast";
import { activeResources, assertNothingLeft, withTimeout } from "holdfast-testkit";
import { PAGE, type Framework } from "../frameworks/framework.js";
import { testCell } from "../matrix/test-cell.js";
import type { Column } from "../matrix/tables.js";
import { LIMIT } from "./common-tests.js";

const OPTIONS = { skip: false, timeout: LIMIT } as const;
const RECEIVE = { timeout: 30_000 };

/** The path of the WebSockets; all other paths belong to the framework. */
const PATH = "/chat";

export function testFramework(framework: Framework): void {
  const { row } = framework;
  const cell = (column: Column) => ({ row, position: "server", column }) as const;

  testCell(
    cell("messages"),
    `G7: beside ${row}: messages pass while routes answer, bodies included`,
    OPTIONS,
    () =>
      beside(framework, async ({ port, httpURL, url }) => {
        await using connection = await connect(url);
        for (const message of ["Grüße, 世界", new Uint8Array(70_000).fill(7)]) {
          await connection.send(message);
          assert.deepEqual(await connection.recv(RECEIVE), message);
          assert.deepEqual(await ask(port, "GET", "/page"), { status: 200, body: PAGE });
        }
        const response = await fetch(`${httpURL}/sum`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ numbers: [1, 2, 39] }),
        });
        assert.deepEqual([response.status, await response.json()], [200, { sum: 42 }]);
      }),
  );

  testCell(
    cell("other paths"),
    `G7: beside ${row}: a WebSocket at another path gets the routes' response`,
    OPTIONS,
    () =>
      beside(framework, async ({ port, baseURL }) => {
        const missing = await refusal(`${baseURL}/missing`);
        assert.deepEqual(missing, await ask(port, "GET", "/missing"));
        assert.equal(missing.status, 404);
        assert.deepEqual(await refusal(`${baseURL}/page`), { status: 200, body: PAGE });
      }),
  );

  testCell(
    cell("keep-alive"),
    `G7: beside ${row}: plain requests share a connection, and a request that offers h2c gets a response on it`,
    OPTIONS,
    () =>
      beside(framework, async ({ port }) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        try {
          const body = JSON.stringify({ numbers: [20, 22] });
          const h2c = { Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c", "HTTP2-Settings": "AAMAAABk" };
          const sockets = new Set<Socket>();
          agent.on("free", (socket: Socket) => sockets.add(socket));
          const answers = [
            await ask(port, "POST", "/sum", { agent, body }),
            await ask(port, "POST", "/sum", { agent, body, headers: h2c }),
            await ask(port, "GET", "/page", { agent }),
          ];
          const total = { status: 200, body: '{"sum":42}' };
          assert.deepEqual(answers, [total, total, { status: 200, body: PAGE }]);
          assert.equal(sockets.size, 1);
        } finally {
          agent.destroy();
        }
      }),
  );

  testCell(
    cell("shutdown"),
    `G4, G7: beside ${row}: WebSockets end first, routes continue, and then nothing keeps the process alive`,
    OPTIONS,
    async () => {
      const before = activeResources();
      await beside(framework, async ({ port, sockets, url }) => {
        const connection = await connect(url);
        await sockets.close({ code: 1012, reason: "update" });
        const { received, clean } = await withTimeout(connection.closed, 30_000, "the end");
        assert.deepEqual({ received, clean }, { received: { code: 1012, reason: "update" }, clean: true });
        // The WebSocket server is detached, so the path belongs to the framework now.
        assert.equal((await refusal(url)).status, 404);
        assert.deepEqual(await ask(port, "GET", "/page"), { status: 200, body: PAGE });
      });
      await assertNothingLeft(before);
    },
  );
}

interface Scene {
  readonly port: number;
  readonly httpURL: string;
  /** The same as `ws:`. */
  readonly baseURL: string;
  /** The URL of the echo server. */
  readonly url: string;
  readonly sockets: Server;
}

async function beside(framework: Framework, play: (scene: Scene) => Promise<void>): Promise<void> {
  const application = await framework.start();
  const { httpServer } = application;
  const sockets = attach(
    httpServer,
    (connection) => connection.forEach((message) => connection.send(message)),
    { path: PATH },
  );
  try {
    const { port } = httpServer.address() as AddressInfo; // The server listens on TCP.
    const baseURL = `ws://127.0.0.1:${port}`;
    const httpURL = `http://127.0.0.1:${port}`;
    await play({ port, httpURL, baseURL, url: `${baseURL}${PATH}`, sockets });
  } finally {
    await sockets.close();
    await withTimeout(application.close(), 30_000, `${framework.row} to end`);
  }
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

interface AskOptions {
  readonly agent?: Agent;
  readonly body?: string;
  readonly headers?: OutgoingHttpHeaders;
}

/** Sends a plain request, on a new connection if there is no agent. */
async function ask(
  port: number,
  method: string,
  path: string,
  { agent, body, headers }: AskOptions = {},
): Promise<Answer> {
  const asked = request({
    host: "127.0.0.1",
    port,
    method,
    path,
    agent: agent ?? false,
    headers: { ...headers, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
  });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.on("response", resolve);
    asked.on("error", reject);
    asked.end(body);
  });
  return { status: response.statusCode, body: await text(response) };
}

/** The answer to a WebSocket that is refused. */
async function refusal(url: string): Promise<Answer> {
  try {
    await (await connect(url)).close();
  } catch (error) {
    if (!(error instanceof InvalidStatusError)) throw error;
    return { status: error.status, body: new TextDecoder().decode(error.body) };
  }
  throw new Error(`Expected ${url} to be refused`);
}
