import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import {
  attach,
  connect,
  serve,
  type ConnectOptions,
  type DiagnosticsMessages,
  type ServeOptions,
  type Server,
} from "../../build/index.js";
import { RawClient } from "holdfast-testkit";

type Refused = DiagnosticsMessages["holdfast:server:refused"];

/** How each upgrade is refused: the options of the server and the client, and the message of the channel. */
const REFUSALS: Readonly<
  Record<
    string,
    {
      readonly server: ServeOptions;
      readonly client?: ConnectOptions;
      /** Whether the same client has a connection already. */
      readonly isSecond?: true;
      readonly status: number;
      readonly reason: RegExp;
    }
  >
> = {
  "another origin": {
    server: {},
    client: { origin: "https://elsewhere.example" },
    status: 403,
    reason: /Expected.*elsewhere/,
  },
  "a full server": {
    server: { maxConnections: 1 },
    isSecond: true,
    status: 503,
    reason: /at most 1 connections/,
  },
  "a limit for an address": {
    server: { limits: { connectionsPerAddress: 1 } },
    isSecond: true,
    status: 429,
    reason: /./,
  },
  "a Response of onRequest": {
    server: { onRequest: () => new Response("no", { status: 401 }) },
    status: 401,
    reason: /^answered by onRequest$/,
  },
  "an onRequest that throws": {
    server: {
      onRequest: () => {
        throw new Error("broken");
      },
    },
    status: 500,
    reason: /./,
  },
  "no subprotocol in common, after an onRequest that accepted": {
    server: {
      subprotocols: ["a"],
      requireSubprotocol: true,
      onRequest: async () => {
        await Promise.resolve();
        return undefined;
      },
    },
    status: 400,
    reason: /Sec-WebSocket-Protocol/,
  },
  "another origin, over HTTP/2": {
    server: { http2: true },
    client: { origin: "https://elsewhere.example", http2: true },
    status: 403,
    reason: /Expected.*elsewhere/,
  },
};

describe("The channel holdfast:server:refused", () => {
  /** The messages of the channel during a run against a server with these options. */
  async function refusals(options: ServeOptions, run: (server: Server) => Promise<void>): Promise<Refused[]> {
    const refused: Refused[] = [];
    const onRefused = (message: unknown): void => void refused.push(message as Refused);
    await using server = await serve(() => undefined, { host: "127.0.0.1", logger: null, ...options });
    subscribe("holdfast:server:refused", onRefused);
    try {
      await run(server);
    } finally {
      unsubscribe("holdfast:server:refused", onRefused);
    }
    return refused;
  }

  for (const [name, { server: options, client, isSecond, status, reason }] of Object.entries(REFUSALS)) {
    test(`J2: has the request and the status of an upgrade that is refused by ${name}`, async () => {
      const refused = await refusals(options, async ({ url }) => {
        if (isSecond === true) await connect(url);
        const refusal = connect(`${url}/path?query`, { ...client, headers: { "X-Id": "7" } });
        await assert.rejects(refusal, { status });
      });
      assert.equal(refused.length, 1);
      const { request } = refused[0];
      assert.equal(refused[0].status, status);
      assert.match(refused[0].reason, reason);
      assert.deepEqual(
        [request?.isUpgrade, request?.target, request?.method, request?.headers.get("X-Id")],
        [true, "/path?query", client?.http2 === true ? "CONNECT" : "GET", "7"],
      );
    });
  }

  test("J2: has the same request as `onRequest`", async () => {
    let asked: unknown;
    const options: ServeOptions = {
      onRequest: (request) => {
        asked = request;
        return new Response(null, { status: 401 });
      },
    };
    const refused = await refusals(options, ({ url }) => assert.rejects(connect(url), { status: 401 }));
    assert.ok(refused[0].request === asked);
  });

  test("J2: has plain requests that nobody answers, and no request where none could be read", async () => {
    const refused = await refusals({}, async ({ port }) => {
      for (const text of ["GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n", "nonsense\r\n\r\n"]) {
        await using client = await RawClient.connect({ port });
        client.write(text);
        await client.readHead();
      }
    });
    assert.deepEqual(
      refused.map(({ request, status }) => [request?.target, request?.isUpgrade, status]),
      [
        ["/plain", false, 426],
        [undefined, undefined, 400],
      ],
    );
  });

  for (const via of ["attach()", "handleUpgrade()"]) {
    test(`J2: has the request of an upgrade that comes through ${via} and is refused unseen`, async () => {
      const refused = await refusals({}, async () => {
        const options = { logger: null, path: "/chat" };
        const httpServer = createServer();
        const server = via === "attach()" ? attach(httpServer, () => undefined, options) : null;
        await using upgrades = await serve(() => undefined, { host: "127.0.0.1", logger: null });
        if (server === null)
          httpServer.on("upgrade", (request, socket, head) => upgrades.handleUpgrade(request, socket, head));
        await once(httpServer.listen(0, "127.0.0.1"), "listening");
        const { port } = httpServer.address() as AddressInfo;
        const fields = "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
        for (const [version, more] of [
          ["1.0", ""],
          ["1.1", "Transfer-Encoding: gzip\r\n"],
        ]) {
          await using client = await RawClient.connect({ port });
          client.write(`GET /elsewhere HTTP/${version}\r\n${fields}${more}\r\n`);
          await client.readHead();
        }
        httpServer.close();
        await server?.close();
      });
      assert.deepEqual(
        refused.map(({ request, status }) => [request?.target, request?.headers.get("Upgrade"), status]),
        [
          ["/elsewhere", "websocket", 426],
          ["/elsewhere", "websocket", 400],
        ],
      );
      assert.match(refused[0].request?.remoteAddress?.address ?? "", /^127\.0\.0\.1$/);
    });
  }

  test("J2: has no upgrade that is accepted, and no plain request that `onRequest` answers", async () => {
    const onRequest: ServeOptions["onRequest"] = ({ isUpgrade }) =>
      isUpgrade ? undefined : new Response("no", { status: 404 });
    const refused = await refusals({ onRequest }, async ({ url }) => {
      await (await connect(url)).close();
      assert.equal((await fetch(url.replace("ws:", "http:"))).status, 404);
    });
    assert.deepEqual(refused, []);
  });
});
