// `request.raw` and `request.tls`: what frameworks' sessions and mTLS need to know of a request.

import assert from "node:assert/strict";
import { createServer, IncomingMessage, type RequestListener } from "node:http";
import { createSecureServer, Http2ServerRequest } from "node:http2";
import { createServer as createSecureHttpServer } from "node:https";
import type { AddressInfo, Server as NetServer } from "node:net";
import { test } from "node:test";
import {
  attach,
  connect,
  serve,
  type ConnectOptions,
  type RawRequest,
  type RequestTLS,
  type ServerRequest,
} from "../../../build/index.js";
import { eventually, testCertificates, type KeyAndCertificate } from "holdfast-testkit";

const HEADERS = { Cookie: "sid=1; theme=dark", "X-Room": "7" };
const quiet: ConnectOptions = { pingInterval: null };

async function listen(httpServer: NetServer): Promise<number> {
  await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
  return (httpServer.address() as AddressInfo).port;
}

function factsOf({ method, url, headers, httpVersion }: RawRequest): unknown {
  const { cookie, "x-room": room } = headers;
  return { method, url, cookie, room, httpVersion };
}

test("G2: with attach(), `request.raw` is the request of the HTTP server, for `path`, onRequest and the handler", async () => {
  const seen: RawRequest[] = [];
  const httpServer = createServer();
  const port = await listen(httpServer);
  const note = ({ raw }: ServerRequest): void => void seen.push(raw);
  await using server = attach(httpServer, (_, request) => note(request), {
    path: (request) => {
      note(request);
      return true;
    },
    onRequest: note,
    pingInterval: null,
  });
  await (await connect(`ws://127.0.0.1:${port}/a?b=1`, { ...quiet, headers: HEADERS })).close();
  assert.equal(seen.length, 3);
  const [raw, ...others] = seen;
  assert.ok(raw instanceof IncomingMessage);
  for (const other of others) assert.equal(other, raw);
  await server.close();
  httpServer.close();
});

test("G2: with handleUpgrade(), `request.raw` is the given request", async () => {
  const upgrades: IncomingMessage[] = [];
  const seen: RawRequest[] = [];
  await using server = attach(null, (_, { raw }) => void seen.push(raw), { pingInterval: null });
  const httpServer = createServer();
  httpServer.on("upgrade", (request, socket, head) => {
    upgrades.push(request);
    server.handleUpgrade(request, socket, head);
  });
  const port = await listen(httpServer);
  await (await connect(`ws://127.0.0.1:${port}/`, quiet)).close();
  assert.deepEqual([seen.length, seen[0] === upgrades[0]], [1, true]);
  httpServer.close();
});

test("G2: serve() makes an IncomingMessage with method, url, headers and socket, and no body", async () => {
  const seen: RawRequest[] = [];
  await using server = await serve((_, { raw }) => void seen.push(raw), {
    host: "127.0.0.1",
    pingInterval: null,
    onRequest: ({ raw }) => void seen.push(raw),
  });
  await (await connect(`${server.url}/a?b=1`, { ...quiet, headers: HEADERS })).close();
  const [raw, again] = seen;
  assert.ok(raw instanceof IncomingMessage);
  assert.equal(raw, again);
  assert.deepEqual(factsOf(raw), {
    method: "GET",
    url: "/a?b=1",
    cookie: HEADERS.Cookie,
    room: "7",
    httpVersion: "1.1",
  });
  for await (const _ of raw) assert.fail("no body was sent");
});

test("G2: over HTTP/2, `request.raw` is an Http2ServerRequest, with serve() and with attach()", async () => {
  const { ca, server: tls } = await testCertificates();
  const seen: RawRequest[] = [];
  const note = ({ raw }: ServerRequest): void => void seen.push(raw);
  const routes: RequestListener & Parameters<typeof createSecureServer>[1] = () => undefined;
  const httpServer = createSecureServer(tls, routes);
  const port = await listen(httpServer);
  await using attached = attach(httpServer, (_, request) => note(request), { pingInterval: null });
  await using server = await serve((_, request) => note(request), { tls, http2: true, pingInterval: null });
  for (const url of [`wss://127.0.0.1:${port}/a`, `wss://127.0.0.1:${server.port}/a`]) {
    const connection = await connect(url, { ...quiet, http2: true, tls: { ca }, headers: HEADERS });
    await connection.send("it still works");
    await connection.close();
  }
  assert.equal(seen.length, 2);
  for (const raw of seen) {
    assert.ok(raw instanceof Http2ServerRequest);
    const { method, url, httpVersion, headers } = raw;
    assert.deepEqual([method, url, httpVersion], ["CONNECT", "/a", "2.0"]);
    assert.deepEqual([headers.cookie, headers["x-room"]], [HEADERS.Cookie, "7"]);
  }
  await attached.close();
  httpServer.close();
});

interface Scene {
  readonly title: string;
  readonly http2: boolean;
  readonly isAttached: boolean;
}

const SCENES: readonly Scene[] = [
  { title: "serve()", http2: false, isAttached: false },
  { title: "serve() over HTTP/2", http2: true, isAttached: false },
  { title: "attach()", http2: false, isAttached: true },
  { title: "attach() over HTTP/2", http2: true, isAttached: true },
];

for (const { title, http2, isAttached } of SCENES) {
  test(`G2: ${title}: \`request.tls\` has the client's certificate, and says whether it is trusted`, async () => {
    const { ca, server: own, client, untrusted } = await testCertificates();
    const seen: (RequestTLS | null)[] = [];
    const onRequest = ({ tls }: ServerRequest): void => void seen.push(tls);
    const tls = { ...own, ca, requestCert: true, rejectUnauthorized: false };
    const httpServer = http2 ? createSecureServer(tls) : createSecureHttpServer(tls);
    const options = { onRequest, pingInterval: null };
    await using server = isAttached
      ? attach(httpServer, () => undefined, options)
      : await serve(() => undefined, { ...options, host: "127.0.0.1", tls, http2 });
    const port = isAttached ? await listen(httpServer) : server.port;
    const open = async (certificate: KeyAndCertificate | null): Promise<RequestTLS | null> => {
      const presented = certificate ?? {};
      const connection = await connect(`wss://localhost:${port}`, {
        ...quiet,
        http2,
        tls: { ca, ...presented },
      });
      await connection.close();
      return seen.pop() ?? null;
    };

    const trusted = await open(client);
    assert.ok(trusted?.peerCertificate);
    assert.equal(trusted.peerCertificate.subject.CN, "client.test");
    assert.equal(trusted.peerCertificate.issuerCertificate.subject.CN, "Holdfast test authority");
    assert.deepEqual(
      [trusted.authorized, trusted.authorizationError, trusted.protocol, trusted.servername],
      [true, null, "TLSv1.3", "localhost"],
    );
    assert.match(trusted.cipher.name, /^TLS_/);

    const foreign = await open(untrusted);
    assert.ok(foreign?.peerCertificate);
    assert.equal(foreign.authorized, false);
    assert.match(foreign.authorizationError ?? "", /^[A-Z_]+$/);

    const anonymous = await open(null);
    assert.equal(anonymous?.authorized, false);
    assert.equal(anonymous.peerCertificate, null);
    if (isAttached) {
      await server.close();
      httpServer.close();
    }
  });
}

test("G2: `request.tls` is null without TLS, keeps its first value, and is null when first read after the client has left", async () => {
  const { ca, server: tls } = await testCertificates();
  const requests: ServerRequest[] = [];
  const keep = (_: unknown, request: ServerRequest): void => void requests.push(request);
  await using plain = await serve(keep, { host: "127.0.0.1" });
  await using secure = await serve(keep, { host: "127.0.0.1", tls });
  await (await connect(plain.url, quiet)).close();
  const connections = [
    await connect(secure.url, { ...quiet, tls: { ca } }),
    await connect(secure.url, { ...quiet, tls: { ca } }),
  ];
  const [first, second, third] = requests;
  const early = second.tls;
  assert.equal(early?.protocol, "TLSv1.3");
  for (const connection of connections) await connection.close();
  await eventually(() => secure.connections.size === 0, "the clients to leave");
  assert.deepEqual([first.tls, third.tls, second.tls === early], [null, null, true]);
});
