import assert from "node:assert/strict";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttp2Server, createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server as NetServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { attach, connect, serve, type ConnectOptions } from "../../build/index.js";
import { RawClient, testCertificates, type TestCertificates } from "holdfast-testkit";
import { echo } from "./servers.js";
import { PREFACE, SETTINGS } from "./http2-frames.js";

const HTTP_1 = Buffer.from("GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
const HTTP_2 = Buffer.concat([PREFACE, SETTINGS]);
const GARBAGE = Buffer.concat([PREFACE, Buffer.alloc(300, 0xff)]);

/** A response over HTTP/2 begins with the server's SETTINGS. */
const HTTP_2_BEGINS = "SETTINGS";

interface Target {
  readonly port: number;
  readonly isSecure: boolean;
  readonly http2: boolean;
  readonly close: () => Promise<void>;
}

const KINDS = {
  "serve({})": { http2: false, isSecure: false },
  "serve({ http2 })": { http2: true, isSecure: false },
  "serve({ tls })": { http2: false, isSecure: true },
  "serve({ tls, http2 })": { http2: true, isSecure: true },
  "attach() to node:http": { http2: false, isSecure: false },
  "attach() to node:https": { http2: false, isSecure: true },
  "attach() to node:http2": { http2: true, isSecure: false },
  "attach() to node:http2 over TLS": { http2: true, isSecure: true },
  "attach() to node:http2 with allowHTTP1": { http2: true, isSecure: true },
} as const;
type Kind = keyof typeof KINDS;

const routes: RequestListener = (_request, response) => response.end("route");

async function start(kind: Kind, { server: tls }: TestCertificates): Promise<Target> {
  const { http2, isSecure } = KINDS[kind];
  if (kind.startsWith("serve")) {
    const server = await serve(echo, { host: "127.0.0.1", http2, ...(isSecure ? { tls } : {}) });
    return { port: server.port, isSecure, http2, close: () => server.close({ timeout: 500 }) };
  }
  // The three kinds of servers call the same methods of request and response.
  const listener = routes as never;
  const httpServer: NetServer = http2
    ? isSecure
      ? createSecureServer({ ...tls, allowHTTP1: kind.endsWith("allowHTTP1") }, listener)
      : createHttp2Server(listener)
    : isSecure
      ? createHttpsServer(tls, listener)
      : createHttpServer(listener);
  await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
  const server = attach(httpServer, echo);
  const { port } = httpServer.address() as AddressInfo;
  return {
    port,
    isSecure,
    http2,
    close: async () => {
      await server.close({ timeout: 500 });
      httpServer.close(); // Node 20 does not call back after it has rejected a protocol.
    },
  };
}

/** The beginning of the response, or how the connection ended without one. */
async function answerTo(client: RawClient, bytes: Uint8Array, isBytewise: boolean): Promise<string> {
  if (isBytewise) {
    for (const byte of bytes) {
      client.write(Uint8Array.of(byte));
      await client.pause(0);
    }
  } else client.write(bytes);
  try {
    const first = Buffer.from(await client.read(4));
    if (first.toString() !== "HTTP") return first[3] === 4 ? HTTP_2_BEGINS : "unknown";
    const line = `${first.toString()}${Buffer.from(await client.read(8)).toString()}`;
    await client.ended;
    return line.slice("HTTP/1.1 ".length);
  } catch {
    return "ended";
  }
}

describe("Each version of HTTP, chosen by ALPN or not", () => {
  let certificates: TestCertificates;
  const uncaught: unknown[] = [];
  const note = (error: unknown) => void uncaught.push(error);

  before(async () => {
    certificates = await testCertificates();
    process.on("unhandledRejection", note).on("uncaughtException", note);
  });
  after(() => {
    process.off("unhandledRejection", note).off("uncaughtException", note);
    assert.deepEqual(uncaught, []);
  });

  for (const kind of Object.keys(KINDS) as Kind[]) {
    test(`H: ${kind} answers HTTP/1.1, the preface of HTTP/2 and garbage after it with every ALPN, and continues to serve`, async () => {
      const { ca } = certificates;
      const target = await start(kind, certificates);
      const { port, isSecure } = target;
      const answers: Record<string, unknown> = {};
      for (const alpn of isSecure ? ["none", "h2", "http/1.1", "unknown"] : ["none"]) {
        for (const [name, bytes] of Object.entries({ HTTP_1, HTTP_2, GARBAGE })) {
          for (const isBytewise of [false, true]) {
            const tls = alpn === "none" ? { ca } : { ca, ALPNProtocols: [alpn] };
            let answer: string;
            try {
              const client = await RawClient.connect({ port, timeout: 30_000, ...(isSecure ? { tls } : {}) });
              answer = await answerTo(client, bytes, isBytewise);
              await client.close();
            } catch {
              answer = "no TLS";
            }
            const key = `${alpn} ${name}`;
            assert.ok(!isBytewise || answers[key] === answer, `${key}: ${String(answers[key])}, ${answer}`);
            answers[key] = answer;
          }
        }
      }
      assert.deepEqual(answers, EXPECTED[kind]);

      const url = `${isSecure ? "wss" : "ws"}://127.0.0.1:${port}`;
      const options: ConnectOptions = { tls: { ca }, pingInterval: null };
      const versions = [
        ...(kind === "attach() to node:http2" || kind.endsWith("over TLS") ? [] : [false]),
        ...(target.http2 ? [true, true] : []),
      ];
      for (const http2 of versions) {
        const connection = await connect(url, { ...options, http2 });
        await connection.send("still there?");
        assert.equal(await connection.recv({ timeout: 30_000 }), "still there?");
        assert.equal((await connection.close()).ok, true);
      }
      await target.close();
    });
  }
});

const WITHOUT_HTTP_2 = { HTTP_1: "426", HTTP_2: "505", GARBAGE: "505" };
const NODE_HTTP_1 = { HTTP_1: "200", HTTP_2: "400", GARBAGE: "400" };
const NODE_HTTP_2 = { HTTP_1: HTTP_2_BEGINS, HTTP_2: HTTP_2_BEGINS, GARBAGE: HTTP_2_BEGINS };
const NO_TLS = { HTTP_1: "no TLS", HTTP_2: "no TLS", GARBAGE: "no TLS" };
const FORBIDDEN = { HTTP_1: "403", HTTP_2: "403", GARBAGE: "403" };

/** By kind of server, offered ALPN and bytes sent. For servers of node:http, Node itself responds. */
const EXPECTED: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  "serve({})": under({ none: WITHOUT_HTTP_2 }),
  "serve({ http2 })": under({ none: { HTTP_1: "426", HTTP_2: HTTP_2_BEGINS, GARBAGE: HTTP_2_BEGINS } }),
  "serve({ tls })": under({
    none: WITHOUT_HTTP_2,
    h2: WITHOUT_HTTP_2,
    "http/1.1": WITHOUT_HTTP_2,
    unknown: WITHOUT_HTTP_2,
  }),
  "serve({ tls, http2 })": under({
    none: WITHOUT_HTTP_2,
    h2: NODE_HTTP_2,
    "http/1.1": WITHOUT_HTTP_2,
    unknown: NO_TLS,
  }),
  "attach() to node:http": under({ none: NODE_HTTP_1 }),
  "attach() to node:https": under({
    none: NODE_HTTP_1,
    h2: NO_TLS,
    "http/1.1": NODE_HTTP_1,
    unknown: NO_TLS,
  }),
  "attach() to node:http2": under({ none: NODE_HTTP_2 }),
  "attach() to node:http2 over TLS": under({
    none: FORBIDDEN,
    h2: NODE_HTTP_2,
    "http/1.1": NO_TLS,
    unknown: NO_TLS,
  }),
  "attach() to node:http2 with allowHTTP1": under({
    none: NODE_HTTP_1,
    h2: NODE_HTTP_2,
    "http/1.1": NODE_HTTP_1,
    unknown: NO_TLS,
  }),
};

function under(byAlpn: Readonly<Record<string, Readonly<Record<string, string>>>>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [alpn, answers] of Object.entries(byAlpn)) {
    for (const [name, answer] of Object.entries(answers)) flat[`${alpn} ${name}`] = answer;
  }
  return flat;
}
