import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import { afterEach, beforeEach, describe, test } from "node:test";
import { promisify } from "node:util";
import {
  connect,
  InvalidArgumentError,
  InvalidHeaderError,
  InvalidStatusError,
  NegotiationError,
  OpenTimeoutError,
  serve,
} from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  eventually,
  RawServer,
  testCertificates,
  TunnelProxy,
  withTimeout,
  type ResourceCounts,
} from "holdfast-testkit";
import { assertExpires } from "../client/expiry.js";
import { Http2Pair } from "./pairs.js";
import { ScriptedServer } from "./scripted-server.js";

const OPTIONS = { http2: true, pingInterval: null } as const;
const accept = (stream: ServerHttp2Stream) => stream.respond({ ":status": 200 });
/** Takes the first data for a Close, and answers it. */
const acceptAndClose = (stream: ServerHttp2Stream) => {
  accept(stream);
  stream.once("data", () => stream.end(Buffer.from("880203e8", "hex")));
};

describe("Opening a connection over HTTP/2", () => {
  let resources: ResourceCounts;

  beforeEach(() => {
    resources = activeResources();
  });
  afterEach(async () => {
    await assertNothingLeft(resources, { timeout: 30_000 });
  });

  test("B9: the request is an extended CONNECT with the fields of RFC 8441 and the caller's own, names in lower case", async () => {
    await using server = await ScriptedServer.start(accept);
    const connection = await connect(`${server.url}/a?b=c`, {
      ...OPTIONS,
      compression: true,
      subprotocols: ["one", "two"],
      origin: "https://example.com",
      headers: [
        ["X-Twice", "1"],
        ["X-Twice", "2"],
      ],
    });
    connection.terminate();
    const [headers] = server.requests;
    assert.deepEqual(Object.fromEntries(Object.entries(headers)), {
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":scheme": "http",
      ":authority": server.url.slice("ws://".length),
      ":path": "/a?b=c",
      "sec-websocket-version": "13",
      "sec-websocket-protocol": "one, two",
      "sec-websocket-extensions": headers["sec-websocket-extensions"],
      origin: "https://example.com",
      "x-twice": "1, 2",
    });
    assert.match(headers["sec-websocket-extensions"] ?? "", /^permessage-deflate/);
  });

  test("B9: a custom Host is sent as :authority, and as nothing else", async () => {
    await using server = await ScriptedServer.start(accept);
    const connection = await connect(server.url, { ...OPTIONS, headers: { Host: "virtual.test:8080" } });
    connection.terminate();
    const [headers] = server.requests;
    assert.deepEqual([headers[":authority"], headers.host], ["virtual.test:8080", undefined]);
  });

  test("B9: a refusal carries status, headers, body and Retry-After", async () => {
    await using pair = await Http2Pair.start("wss", {
      onRequest: () =>
        new Response("come again", { status: 429, headers: { "Retry-After": "7", "X-A": "b" } }),
    });
    await assert.rejects(pair.connect(), (error) => {
      assert.ok(error instanceof InvalidStatusError);
      const { status, retryAfter, body, headers } = error;
      assert.deepEqual(
        [status, retryAfter, Buffer.from(body).toString(), headers.get("x-a")],
        [429, 7000, "come again", "b"],
      );
      assert.match(error.message, /to answer 200 \(OK\), got 429\.$/);
      return true;
    });
  });

  test("B9: another status than 200 is a refusal, also one of success", async () => {
    await using server = await ScriptedServer.start((stream) => stream.respond({ ":status": 204 }));
    await assert.rejects(
      connect(server.url, OPTIONS),
      (error) => error instanceof InvalidStatusError && error.status === 204,
    );
  });

  for (const [what, options, status, expected] of [
    ["a foreign origin", { origin: "https://evil.example" }, 403, /^Expected an Origin of the host/],
    [
      "no subprotocol that is spoken",
      { subprotocols: ["b"] },
      400,
      /^Expected Sec-WebSocket-Protocol to offer/,
    ],
  ] as const) {
    test(`B9: a server refuses ${what} with ${status}, as over HTTP/1.1`, async () => {
      await using pair = await Http2Pair.start("wss", {
        subprotocols: ["a"],
        requireSubprotocol: status === 400,
      });
      await assert.rejects(pair.connect(options), (error) => {
        assert.ok(error instanceof InvalidStatusError);
        assert.equal(error.status, status);
        assert.match(Buffer.from(error.body).toString(), expected);
        return true;
      });
    });
  }

  test("B9: redirects are followed on the same connection, and HTTP/1.1 still works", async () => {
    await using pair = await Http2Pair.start("wss", {
      onRequest: ({ target }) =>
        target === "/old" ? new Response(null, { status: 307, headers: { Location: "/new" } }) : undefined,
    });
    const [first] = await pair.pair();
    const [second] = await pair.pair({}, `${pair.server.url}/old`);
    const [third] = await pair.pair({ http2: false });
    assert.equal(second.url, `${pair.server.url}/new`);
    assert.equal(second.localAddress?.port, first.localAddress?.port);
    assert.equal(third.response.status, 101);
  });

  test("B9: a server that is closing refuses newcomers on connections it has with 503", async () => {
    await using pair = await Http2Pair.start("ws");
    const [client] = await pair.pair({ closeTimeout: 1_000 });
    client.pong(); // The connection is still open.
    const closing = pair.server.close({ spread: 500, timeout: 2_000 });
    await assert.rejects(pair.connect(), (error) => {
      assert.ok(error instanceof InvalidStatusError);
      assert.deepEqual([error.status, error.retryAfter], [503, 5_000]);
      return true;
    });
    await closing;
    assert.equal((await client.closed).code, 1001);
  });

  test("B9: the errors distinguish servers without HTTP/2 from those without WebSockets over it", async () => {
    const { server: tls, ca } = await testCertificates();
    const plain = await serve(() => undefined, { host: "127.0.0.1" });
    const secure = await serve(() => undefined, { host: "127.0.0.1", tls });
    await using without = await ScriptedServer.start(accept, { enableConnectProtocol: false });
    for (const [url, message] of [
      [plain.url, /does not speak HTTP\/2\. Leave out `http2`/],
      [secure.url, /does not speak HTTP\/2\. Leave out `http2`/],
      [without.url, /speaks HTTP\/2, but takes no WebSockets over it \(RFC 8441\)\. Leave out `http2`/],
    ] as const) {
      await assert.rejects(connect(url, { ...OPTIONS, tls: { ca } }), {
        name: "HandshakeError",
        code: "ERR_HOLDFAST_NO_HTTP2",
        message,
      });
    }
    await plain.close();
    await secure.close();
  });

  test("B9, D6: a reset stream is a reset, whatever its code, before and after the connection is open", async () => {
    for (const code of [0, 1, 2, 8, 13]) {
      await using server = await ScriptedServer.start((stream, headers) => {
        stream._final = (callback) => callback(); // Otherwise END_STREAM precedes the reset.
        if (headers[":path"] === "/refused") {
          stream.close(code);
          return;
        }
        stream.respond({ ":status": 200 });
        setImmediate(() => stream.close(code));
      });
      await assert.rejects(connect(`${server.url}/refused`, OPTIONS), { failure: "reset" });
      const connection = await connect(server.url, OPTIONS);
      const { cause, error } = await connection.closed;
      assert.equal(cause, "reset");
      assert.match(String(error), /The HTTP\/2 stream was reset \([A-Z_0-9]+\)/);
    }
  });

  test("B9: `http2` is a boolean, and a header that HTTP/2 cannot carry is refused", async () => {
    await assert.rejects(
      connect("ws://localhost", { http2: "auto" as unknown as boolean }),
      InvalidArgumentError,
    );
    await assert.rejects(
      serve(() => undefined, { http2: 2 as unknown as boolean }),
      InvalidArgumentError,
    );
    await assert.rejects(
      connect("ws://localhost", { ...OPTIONS, headers: { Connection: "close" } }),
      InvalidHeaderError,
    );
  });

  test("B9: an answer with a subprotocol or an extension that was not offered fails the handshake", async () => {
    await using server = await ScriptedServer.start((stream) => {
      stream.respond({ ":status": 200, "sec-websocket-protocol": "stranger" });
    });
    await assert.rejects(connect(server.url, OPTIONS), NegotiationError);
  });

  test("B9, B1: openTimeout and aborts end the wait for SETTINGS and for the answer, and affect no other stream", async () => {
    const mute = await RawServer.start({}, async (peer) => {
      await peer.readToEnd().catch(() => undefined);
    });
    const open = (openTimeout: number) => connect(mute.url(), { ...OPTIONS, openTimeout });
    await assertExpires("upgrade", open, () => ({ name: "OpenTimeoutError", phase: "upgrade" }));
    await mute.close();

    await using server = await ScriptedServer.start((stream, headers) => {
      if (headers[":path"] === "/good") accept(stream);
    });
    const good = await connect(`${server.url}/good`, OPTIONS);
    const aborter = new AbortController();
    const aborted = connect(`${server.url}/mute`, { ...OPTIONS, signal: aborter.signal });
    await eventually(() => server.requests.length === 2, "the second request");
    aborter.abort(new Error("enough"));
    await assert.rejects(aborted, /enough/);
    // A third of it is what the session has to answer a PING, busy as this machine may be.
    await assert.rejects(connect(`${server.url}/mute`, { ...OPTIONS, openTimeout: 1_500 }), OpenTimeoutError);
    assert.equal(good.state, "open");
    assert.equal(server.sessions.length, 1);
    // The session did not answer, so later requests get a new one.
    const next = await connect(`${server.url}/good`, OPTIONS);
    assert.equal(server.sessions.length, 2);
    good.terminate();
    next.terminate();
  });

  test("B9: of many that open at once the first opens the connection; if it aborts, the next one does", async () => {
    await using server = await ScriptedServer.start(accept);
    const aborter = new AbortController();
    const first = connect(server.url, { ...OPTIONS, signal: aborter.signal });
    const others = Array.from({ length: 5 }, () => connect(server.url, OPTIONS));
    aborter.abort(new Error("enough"));
    await assert.rejects(first, /enough/);
    const connections = await withTimeout(Promise.all(others), 30_000, "the others");
    assert.equal(new Set(connections.map(({ localAddress }) => localAddress?.port)).size, 1);
    for (const connection of connections) connection.terminate();
  });

  test("B9: one connection carries no more streams than the server allows, and other options need another connection", async () => {
    await using server = await ScriptedServer.start(accept, { maxConcurrentStreams: 2 });
    const connections = [];
    for (let index = 0; index < 5; index++) connections.push(await connect(server.url, OPTIONS));
    assert.equal(server.sessions.length, 3);
    connections.push(await connect(server.url, { ...OPTIONS, family: 4 }));
    assert.equal(server.sessions.length, 4);
    for (const connection of connections) connection.terminate();
  });

  test("B9: that holds for WebSockets that open at once too, and an attempt that is aborted keeps no place", async () => {
    await using server = await ScriptedServer.start(accept, { maxConcurrentStreams: 2 });
    const aborter = new AbortController();
    const aborted = connect(server.url, { ...OPTIONS, signal: aborter.signal });
    const others = Array.from({ length: 6 }, () => connect(server.url, { ...OPTIONS, openTimeout: 10_000 }));
    aborter.abort(new Error("enough"));
    await assert.rejects(aborted, /enough/);
    const connections = await Promise.all(others);
    assert.equal(server.sessions.filter(({ destroyed }) => !destroyed).length, 3);
    for (const connection of connections) connection.terminate();
  });

  test("B9: after GOAWAY open WebSockets continue, and later ones get a new connection", async () => {
    await using server = await ScriptedServer.start(accept);
    const old = await connect(server.url, OPTIONS);
    server.sessions[0].close();
    assert.equal(old.state, "open");
    const young = await connect(server.url, OPTIONS);
    assert.equal(server.sessions.length, 2);
    old.terminate();
    young.terminate();
  });

  test("B9: a stream that the server refused unprocessed is retried once on another connection", async () => {
    await using server = await ScriptedServer.start((stream, _headers, index) => {
      if (index === 0) stream.close(7);
      else accept(stream);
    });
    const connection = await connect(server.url, OPTIONS);
    assert.equal(server.requests.length, 2);
    connection.terminate();

    await using stubborn = await ScriptedServer.start((stream) => stream.close(7));
    await assert.rejects(connect(stubborn.url, OPTIONS), {
      failure: "reset",
      message: /reset .*\(REFUSED_STREAM\)\.$/,
    });
    assert.equal(stubborn.requests.length, 4);
  });

  test("B9: through an HTTP proxy it works the same", async () => {
    await using pair = await Http2Pair.start("wss");
    const proxy = await TunnelProxy.start({});
    const [client, server] = await pair.pair({ proxy: `http://127.0.0.1:${proxy.port}` });
    await client.send("through the tunnel");
    assert.equal(await server.recv({ timeout: 30_000 }), "through the tunnel");
    await pair.server.close();
    await eventually(() => client.state === "closed", "the end");
    await proxy.close();
  });

  test("B9: a connection without WebSockets is closed a second later", async () => {
    await using server = await ScriptedServer.start(acceptAndClose);
    const connection = await connect(server.url, OPTIONS);
    const closed = once(server.sessions[0], "close");
    const endedAt = performance.now();
    await connection.close();
    await withTimeout(closed, 30_000, "the end of the session");
    assert(performance.now() - endedAt > 950);
  });

  test("B9: a connection without WebSockets does not keep the process alive", async () => {
    await using server = await ScriptedServer.start(acceptAndClose);
    const program = `
      import { connect } from ${JSON.stringify(new URL("../../build/index.js", import.meta.url).href)};
      const connection = await connect(${JSON.stringify(server.url)}, ${JSON.stringify(OPTIONS)});
      await connection.close();`;
    let hasGoneAway = false;
    const child = promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
      timeout: 60_000,
    });
    await eventually(() => server.sessions.length === 1, "the session", 30_000);
    server.sessions[0].on("goaway", () => (hasGoneAway = true)).on("error", () => undefined);
    await child;
    await eventually(() => server.sessions[0].closed, "the end of the session");
    assert.equal(hasGoneAway, false); // The process ended before the second was over.
  });
});
