// Tests docs/error-messages.md: `ws` and Chromium report each message in it today, with a server that
// provokes it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { connect, HandshakeError, serve } from "holdfast";
import { eventually, RawServer, testCertificates } from "holdfast-testkit";
import type { Page } from "playwright-core";
import { WebSocket as WsWebSocket, WebSocketServer } from "ws";
import { Browser, skip } from "./browser/chromium.js";

const page = await readFile(join(import.meta.dirname, "../../../docs/error-messages.md"), "utf8");

interface Case {
  readonly name: string;
  /** The message of `ws`; null if it reports nothing of the kind. */
  readonly ws: string | null;
  readonly chromium: string;
  /** `failure` of a HandshakeError, or the cause of the connection's end. */
  readonly holdfast: string;
  /** Starts the server. Returns its URL and a function that stops it. */
  readonly start: () => Promise<readonly [url: string, close: () => unknown]>;
}

const raw = async (behave: Parameters<typeof RawServer.start>[1]): ReturnType<Case["start"]> => {
  const server = await RawServer.start({}, behave);
  return [server.url(), () => server[Symbol.asyncDispose]()];
};
const tcp = async (onSocket: (socket: Socket) => void): ReturnType<Case["start"]> => {
  const server = createServer((socket) => onSocket(socket.on("error", () => undefined)));
  const port = await listening(server);
  return [`ws://127.0.0.1:${port}/`, () => server.close()];
};
const secure = async (kind: "expired" | "server"): ReturnType<Case["start"]> => {
  const certificates = await testCertificates();
  const server = await serve(() => undefined, { tls: certificates[kind] });
  return [server.url, () => server.close()];
};
/** Accepts the connection, and sends these bytes. */
const frames = (...bytes: readonly number[]): ReturnType<Case["start"]> =>
  raw(async (peer) => {
    await peer.acceptUpgrade();
    peer.write(Uint8Array.from(bytes));
  });

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port; // The server listens on TCP.
}

const refusal = (status: number) => () =>
  raw(async (peer) => {
    await peer.readHead();
    peer.write(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    peer.end();
  });

const CASES: readonly Case[] = [
  {
    name: "a refusal with 401",
    ws: "Unexpected server response: 401",
    chromium: "HTTP Authentication failed; no valid credentials available",
    holdfast: "rejected",
    start: refusal(401),
  },
  {
    name: "a refusal with 403",
    ws: "Unexpected server response: 403",
    chromium: "Error during WebSocket handshake: Unexpected response code: 403",
    holdfast: "rejected",
    start: refusal(403),
  },
  {
    name: "a wrong accept key",
    ws: "Invalid Sec-WebSocket-Accept header",
    chromium: "Error during WebSocket handshake: Incorrect 'Sec-WebSocket-Accept' header value",
    holdfast: "invalid-handshake",
    start: () =>
      raw(async (peer) => {
        await peer.readHead();
        peer.write(
          "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n",
        );
      }),
  },
  {
    name: "a port on which nothing listens",
    ws: "connect ECONNREFUSED 127.0.0.1:",
    chromium: "Error in connection establishment: net::ERR_CONNECTION_REFUSED",
    holdfast: "refused",
    start: async () => {
      const server = createServer();
      const port = await listening(server);
      server.close();
      await once(server, "close");
      return [`ws://127.0.0.1:${port}/`, () => undefined];
    },
  },
  {
    name: "a name that does not exist",
    ws: "getaddrinfo E",
    chromium: "Error in connection establishment: net::ERR_NAME_NOT_RESOLVED",
    holdfast: "dns",
    start: () => Promise.resolve(["ws://unknown.invalid/", () => undefined]),
  },
  {
    name: "an end without an answer",
    ws: "socket hang up",
    chromium: "Connection closed before receiving a handshake response",
    holdfast: "eof",
    start: () => tcp((socket) => socket.once("data", () => socket.end())),
  },
  {
    name: "a reset",
    ws: "read ECONNRESET",
    chromium: "Error during WebSocket handshake: net::ERR_CONNECTION_RESET",
    holdfast: "reset",
    start: () => tcp((socket) => socket.once("data", () => socket.resetAndDestroy())),
  },
  {
    name: "wss: to a plain port",
    ws: "wrong version number",
    chromium: "Error in connection establishment: net::ERR_SSL_PROTOCOL_ERROR",
    holdfast: "tls",
    start: async () => {
      const server = createHttpServer();
      return [`wss://127.0.0.1:${await listening(server)}/`, () => server.close()];
    },
  },
  {
    name: "an unknown authority",
    ws: "unable to verify the first certificate",
    chromium: "Error in connection establishment: net::ERR_CERT_AUTHORITY_INVALID",
    holdfast: "tls",
    start: () => secure("server"),
  },
  {
    name: "compression that was not agreed on",
    ws: "Invalid WebSocket frame: RSV1 must be clear",
    chromium: "One or more reserved bits are on: reserved1 = 1, reserved2 = 0, reserved3 = 0",
    holdfast: "protocol-error",
    start: () => frames(0xc1, 1, 65),
  },
  {
    name: "a masked frame of a server",
    ws: "Invalid WebSocket frame: MASK must be clear",
    chromium: "A server must not mask any frames that it sends to the client.",
    holdfast: "protocol-error",
    start: () => frames(0x81, 0x81, 1, 2, 3, 4, 65),
  },
  {
    name: "a length that is not the shortest form",
    ws: null,
    chromium: "Invalid frame header",
    holdfast: "protocol-error",
    start: () => frames(0x82, 126, 0, 5, 1, 2, 3, 4, 5),
  },
  {
    name: "text that is not UTF-8",
    ws: "Invalid WebSocket frame: invalid UTF-8 sequence",
    chromium: "Could not decode a text frame as UTF-8.",
    holdfast: "invalid-data",
    start: () => frames(0x81, 1, 0xff),
  },
];

async function withServer(start: Case["start"], use: (url: string) => Promise<void>): Promise<void> {
  const [url, close] = await start();
  try {
    await use(url);
  } finally {
    await close();
  }
}

async function wsError(url: string, options = {}): Promise<string> {
  const [error] = (await once(new WsWebSocket(url, options), "error")) as [Error];
  return error.message;
}

async function failureOf(url: string): Promise<string> {
  try {
    const connection = await connect(url, { closeTimeout: 200, proxy: null });
    return (await connection.closed).cause;
  } catch (error) {
    assert(error instanceof HandshakeError, String(error));
    return error.failure;
  }
}

describe("docs/error-messages.md", { timeout: 300_000 }, () => {
  for (const { name, ws, chromium, holdfast, start } of CASES) {
    test(`D9: ${name} is in the page with the message of ws, and has the documented failure`, async () => {
      for (const words of [ws, chromium, `why-closed.md#${holdfast}`]) {
        assert(words === null || page.includes(words), `"${words ?? ""}" in the page`);
      }
      await withServer(start, async (url) => {
        if (ws !== null) assert((await wsError(url)).includes(ws));
        assert.equal(await failureOf(url), holdfast);
      });
    });
  }

  test("D9: the messages of ws for programming errors are in the page", async () => {
    await withServer(
      () => raw(() => undefined),
      async (url) => {
        const early = new WsWebSocket(url);
        const words = [catchMessage(() => early.send("x"))];
        const ended = once(early, "open").catch((error: unknown) => words.push((error as Error).message));
        early.close();
        await ended;
        const late = wsError(url, { handshakeTimeout: 100 });
        words.push(await late);
        for (const message of words) assert(page.includes(message), message);
      },
    );
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await assert.rejects(
      serve(() => undefined, { host: "127.0.0.1", port }),
      {
        code: "ERR_HOLDFAST_LISTEN",
        message: /listen EADDRINUSE: address already in use/,
      },
    );
    server.close();
    await withServer(
      () => frames(0x82, 126, 8, 0, ...new Uint8Array(2048)),
      async (url) => {
        const message = await wsError(url, { maxPayload: 100 });
        assert(page.includes(`### \`${message}\``), message);
      },
    );
  });

  describe("in Chromium", { skip }, () => {
    let browser: Browser;
    let tab: Page;
    /** The console of the page. */
    const written: string[] = [];
    before(async () => {
      browser = await Browser.start();
      tab = await browser.openPage();
      tab.on("console", (message) => written.push(message.text()));
    });
    beforeEach(() => void written.splice(0));
    after(() => browser[Symbol.asyncDispose]());

    for (const { name, chromium, start } of CASES) {
      test(`D9: ${name} has the message of Chromium that the page quotes`, async () => {
        await withServer(start, async (url) => {
          const code = await tab.evaluate(
            (to) =>
              new Promise((resolve) => {
                new WebSocket(to).onclose = (event) => resolve(event.code);
              }),
            url,
          );
          assert.equal(code, 1006);
          await eventually(() => written.join("\n").includes(chromium), `"${chromium}" on the console`);
        });
      });
    }

    test("D9: the messages of Chromium for programming errors are in the page", async () => {
      await withServer(
        () => raw(() => undefined),
        async (url) => {
          const thrown = await tab.evaluate((to) => {
            const socket = new WebSocket(to);
            try {
              socket.send("x");
              return "";
            } catch (error) {
              socket.close();
              return `${(error as Error).name}: ${(error as Error).message}`;
            }
          }, url);
          assert(page.includes(thrown), thrown);
          const words = "WebSocket is closed before the connection is established.";
          await eventually(() => written.join("\n").includes(words), `"${words}" on the console`);
          assert(page.includes(words));
        },
      );
    });
  });
});

function catchMessage(action: () => void): string {
  try {
    action();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}
