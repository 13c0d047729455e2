import assert from "node:assert/strict";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import {
  Client,
  connect,
  InvalidStatusError,
  OpenTimeoutError,
  RedirectError,
  type ConnectOptions,
} from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  assertWithin,
  eventually,
  RawServer,
  testCertificates,
  withTimeout,
  type RawScript,
  type ResourceCounts,
  type TestCertificates,
} from "holdfast-testkit";

describe("A redirect", () => {
  let certificates: TestCertificates;
  let resources: ResourceCounts;

  before(async () => {
    certificates = await testCertificates();
  });
  beforeEach(() => {
    resources = activeResources();
  });
  afterEach(async () => {
    await assertNothingLeft(resources);
  });

  type Answer = readonly [status: number, location: string | readonly string[] | null];

  /** Answers the requests in order: with redirects, then with 101. Each request has its own connection. */
  function redirecting(...answers: readonly Answer[]): RawScript {
    let count = 0;
    return async (peer) => {
      const answer = answers[count++];
      if (answer === undefined) {
        await peer.acceptUpgrade();
        return;
      }
      await peer.readHead();
      peer.respond(answer[0], { headers: { Location: answer[1] }, body: "moved" });
    };
  }

  const heads = (server: RawServer) =>
    server.peers.map(({ received }) => Buffer.from(received).toString("latin1").split("\r\n\r\n")[0] ?? "");
  const targets = (server: RawServer) => heads(server).map((head) => head.split(" ")[1]);

  async function open(url: string, options?: ConnectOptions): Promise<string> {
    const connection = await connect(url, { pingInterval: null, ...options });
    connection.terminate();
    await connection.closed;
    return connection.url;
  }

  for (const status of [301, 302, 303, 307, 308]) {
    test(`B6: ${status} is followed, with GET, to where Location says (RFC 9110 section 15.4)`, async () => {
      await using server = await RawServer.start({}, redirecting([status, "/there?x=1"]));
      assert.equal(await open(server.url("/here")), server.url("/there?x=1"));
      assert.deepEqual(targets(server), ["/here", "/there?x=1"]);
      assert(heads(server).every((head) => head.startsWith("GET ")));
      const keys = heads(server).map((head) => /Sec-WebSocket-Key: (.*)/.exec(head)?.[1]);
      assert.notEqual(keys[0], keys[1]);
      assert.equal(await server.peers[0].ended, "fin", "the first connection is gone");
      await server.close();
    });
  }

  for (const status of [300, 304, 305, 306, 399]) {
    test(`B6: ${status} is a refusal, not a redirect`, async () => {
      await using server = await RawServer.start({}, redirecting([status, "/there"]));
      await assert.rejects(connect(server.url()), { name: "InvalidStatusError", status });
      await server.close();
    });
  }

  const locations: readonly (readonly [location: (base: string) => string, target: string])[] = [
    [() => "next", "/a/next"],
    [() => "../up", "/up"],
    [() => "?q=2", "/a/b?q=2"],
    [() => "#part", "/a/b?q=1"],
    [() => "/p#part", "/p"],
    [(base) => `//${base}/host`, "/host"],
    [(base) => `ws://${base}/ws`, "/ws"],
    [(base) => `HTTP://${base}`, "/"],
    [() => Buffer.from("/é").toString("latin1"), "/%C3%A9"],
    [() => "/caf\xe9", "/caf%C3%A9"],
    [() => "/a b", "/a%20b"],
  ];
  for (const [location, target] of locations) {
    test(`B6: Location ${JSON.stringify(location("HOST"))} of /a/b?q=1 leads to ${target}`, async () => {
      await using server = await RawServer.start({}, async (peer) => {
        const { startLine } = await peer.readHead();
        if (startLine.includes("/a/b?q=1") && server.peers.length === 1) {
          peer.respond(302, { headers: { Location: location(`127.0.0.1:${server.port}`) } });
        } else peer.respond(410);
      });
      const error: unknown = await connect(server.url("/a/b?q=1")).catch((reason: unknown) => reason);
      assert(error instanceof InvalidStatusError);
      assert.equal(targets(server).at(-1), target);
      await server.close();
    });
  }

  test("B6: http: and https: are ws: and wss:, and ws: may become wss:", async () => {
    const tls = { ca: certificates.ca };
    await using secure = await RawServer.start({ tls: certificates.server }, redirecting());
    await using plain = await RawServer.start(
      {},
      redirecting([301, `https://127.0.0.1:${secure.port}/secure`]),
    );
    assert.equal(await open(plain.url(), { tls }), secure.url("/secure"));
    await plain.close();
    await secure.close();
  });

  const refused: readonly (readonly [why: string, answer: Answer, message: RegExp])[] = [
    ["from wss: to ws:", [302, "ws://127.0.0.1:1/"], /to stay with TLS, got ws:\/\/127\.0\.0\.1:1\//],
    ["from wss: to http:", [307, "http://127.0.0.1:1/"], /to stay with TLS/],
    ["without Location", [302, null], /to have one header "Location", got none\.$/],
    ["with two", [302, ["/a", "/b"]], /to have one header "Location", got "\/a" and "\/b"\.$/],
    [
      "to another scheme",
      [301, "ftp://127.0.0.1/"],
      /to lead to a URL with the scheme ws: .*, got "ftp:"\.$/,
    ],
    ["to a Unix socket", [301, "ws+unix:/run/private.sock:/"], /to lead to a URL with the scheme ws: /],
    ["to a file", [301, "file:///etc/passwd"], /to lead to a URL with the scheme/],
    ["to no URL", [308, "wss://127.0.0.1:99999/"], /to have a URL as its "Location", got "wss:/],
    [
      "to user info that cannot be sent",
      [308, "wss://%0d%0aX:y@127.0.0.1/"],
      /to lead to a WebSocket server\. /,
    ],
  ];
  for (const [why, answer, message] of refused) {
    test(`B6: one ${why} is refused, with the hops`, async () => {
      await using server = await RawServer.start({ tls: certificates.server }, redirecting(answer));
      const error: unknown = await connect(server.url("/a"), { tls: { ca: certificates.ca } }).catch(
        (reason: unknown) => reason,
      );
      assert(error instanceof RedirectError, String(error));
      assert.match(error.message, message);
      assert.match(error.message, new RegExp(`^Expected the redirect ${answer[0]} of ${server.url("/a")} `));
      assert.deepEqual(
        { failure: error.failure, code: error.code, hops: error.hops },
        { failure: "rejected", code: "ERR_HOLDFAST_REDIRECT", hops: [server.url("/a")] },
      );
      assert.equal(server.peers.length, 1);
      await server.close();
    });
  }

  test("B6: maxRedirects are followed, and one more is an error that lists the hops", async () => {
    await using server = await RawServer.start({}, async (peer) => {
      const { startLine } = await peer.readHead();
      const count = Number(/\/(\d+) /.exec(startLine)?.[1]);
      peer.respond(302, { headers: { Location: `/${count + 1}` } });
    });
    const hopsOf = async (options: ConnectOptions) => {
      const error: unknown = await connect(server.url("/0"), options).catch((reason: unknown) => reason);
      assert(error instanceof RedirectError, String(error));
      return { hops: error.hops, message: error.message };
    };
    const urls = (count: number) => Array.from({ length: count }, (_, index) => server.url(`/${index}`));
    assert.deepEqual((await hopsOf({})).hops, urls(11));
    assert.deepEqual(await hopsOf({ maxRedirects: 2 }), {
      hops: urls(3),
      message: `Expected at most 2 redirects, got one more (by way of ${urls(3).join(", ")}).`,
    });
    await server.close();
  });

  test("F1: the events of a redirect that the client cannot follow are connected and disconnected, with the cause rejected", async () => {
    await using server = await RawServer.start({}, redirecting([302, "ftp://example.com/"]));
    const events: unknown[] = [];
    for await (const event of new Client(server.url(), { logger: null })) {
      const isEnd = event.type === "disconnected";
      events.push(isEnd ? [event.type, event.info.cause, event.error?.name] : event.type);
    }
    assert.deepEqual(events, ["connecting", "connected", ["disconnected", "rejected", "RedirectError"]]);
  });

  test("B6: exactly maxRedirects redirects are no error; 0 makes each a refusal with its body", async () => {
    await using server = await RawServer.start({}, redirecting([302, "/1"], [302, "/2"]));
    assert.equal(await open(server.url(), { maxRedirects: 2 }), server.url("/2"));
    await server.close();
    await using again = await RawServer.start({}, redirecting([302, "/x"]));
    const error: unknown = await connect(again.url(), { maxRedirects: 0 }).catch((reason: unknown) => reason);
    assert(error instanceof InvalidStatusError);
    assert.deepEqual(
      [error.status, error.headers.get("location"), Buffer.from(error.body).toString()],
      [302, "/x", "moved"],
    );
    await again.close();
  });

  const SECRETS = {
    Authorization: "Bearer t0ken",
    Cookie: "id=t0ken",
    "Proxy-Authorization": "Basic t0ken",
    "X-Api-Key": "t0ken",
    "x-anything": "t0ken",
  };

  test("B6: credentials stay on the origin: another port is another origin, and a later redirect does not restore them", async () => {
    await using second = await RawServer.start();
    await using first = await RawServer.start();
    const opening = connect(first.url().replace("ws://", "ws://user:passw0rd@"), {
      headers: { ...SECRETS, Host: "virtual.test", "User-Agent": "test", "X-Kept": "yes" },
      redirectHeaders: ["x-kept"],
      subprotocols: ["chat"],
      origin: "https://page.test",
    });
    opening.catch(() => undefined);
    const answer = async (server: RawServer, location: string | null) => {
      const peer = await server.nextPeer();
      const head = await peer.readHead();
      if (location === null) peer.respond(401);
      else peer.respond(302, { headers: { Location: location } });
      return Object.fromEntries(head.fields.filter(([name]) => !/^(Sec-|Upgrade|Connection)/.test(name)));
    };
    const kept = { Origin: "https://page.test", "User-Agent": "test", "X-Kept": "yes" };
    const all = { Host: "virtual.test", ...SECRETS, ...kept };
    assert.deepEqual(await answer(first, "/same"), all);
    assert.deepEqual(await answer(first, second.url("/other")), all, "the same origin gets them again");
    assert.deepEqual(await answer(second, first.url("/back")), { Host: `127.0.0.1:${second.port}`, ...kept });
    assert.deepEqual(await answer(first, null), { Host: `127.0.0.1:${first.port}`, ...kept });
    await assert.rejects(opening, {
      name: "InvalidStatusError",
      message: `Expected ${first.url("/back")} (where ${first.url("/")} redirects to) to answer 101 (Switching Protocols), got 401 Unauthorized; Authorization, Cookie, Proxy-Authorization, X-Api-Key, x-anything went to the first origin only.`,
    });
    await first.close();
    await second.close();
  });

  const tokens = [
    ["token", "0123456789abcdef0123456789abcdef01234567"],
    ["graphql-ws", "bearer.t0ken"],
    ["realtime", "openai-insecure-api-key.t0ken"],
    ["base64url.bearer.authorization.k8s.io.t0ken", "v4.channel.k8s.io"],
    ["chat", `eyJ${"x".repeat(60)}`],
  ];
  for (const subprotocols of tokens) {
    test(`B6: subprotocols that look like credentials, ${subprotocols.join(", ")}, are not sent to another origin`, async () => {
      await using second = await RawServer.start({}, redirecting());
      await using first = await RawServer.start({}, redirecting([302, "/same"], [302, second.url()]));
      await assert.rejects(connect(first.url(), { subprotocols }), {
        name: "RedirectError",
        message:
          /a subprotocol looks like a credential\. Connect to that URL directly, or name "Sec-WebSocket-Protocol" in `redirectHeaders`/,
      });
      assert.equal(first.peers.length, 2, "the same origin gets them");
      assert.equal(second.peers.length, 0);
      await first.close();
      await using again = await RawServer.start({}, redirecting([302, second.url()]));
      await open(again.url(), { subprotocols, redirectHeaders: ["Sec-WebSocket-Protocol"] });
      assert(heads(second)[0].includes(`Sec-WebSocket-Protocol: ${subprotocols.join(", ")}`));
      await again.close();
      await second.close();
    });
  }

  test("B6: names of protocols are sent to another origin", async () => {
    const subprotocols = ["graphql-transport-ws", "v12.stomp", "mqtt", "wamp.2.msgpack.batched", "ocpp2.0.1"];
    await using second = await RawServer.start({}, redirecting());
    await using first = await RawServer.start({}, redirecting([302, second.url()]));
    await open(first.url(), { subprotocols });
    assert(heads(second)[0].includes(`Sec-WebSocket-Protocol: ${subprotocols.join(", ")}`));
    await first.close();
    await second.close();
  });

  for (const redirectHeaders of ["X-A", [1], ["X A"], ["host"], {}, null]) {
    test(`B6: redirectHeaders: ${JSON.stringify(redirectHeaders)} is an InvalidArgumentError`, async () => {
      const options = { redirectHeaders } as unknown as ConnectOptions;
      await assert.rejects(connect("ws://127.0.0.1:1/", options), { name: "InvalidArgumentError" });
    });
  }

  test("B6: user info of the URL stays on the origin too; that of a Location is for its own origin", async () => {
    await using second = await RawServer.start();
    await using first = await RawServer.start();
    const opening = connect(first.url().replace("ws://", "ws://user:passw0rd@"));
    const failed = assert.rejects(opening, /401 Unauthorized; Authorization went to the first origin only/);
    const authorization = async (server: RawServer, status: number, location = "") => {
      const peer = await server.nextPeer();
      const head = await peer.readHead();
      peer.respond(status, { headers: { Location: location } });
      return head.header("Authorization");
    };
    const basic = (userInfo: string) => `Basic ${Buffer.from(userInfo).toString("base64")}`;
    assert.equal(await authorization(first, 302, "/same"), basic("user:passw0rd"));
    assert.equal(await authorization(first, 302, second.url()), basic("user:passw0rd"));
    assert.equal(await authorization(second, 302, second.url().replace("ws://", "ws://a:b@")), null);
    assert.equal(await authorization(second, 401), basic("a:b"));
    await failed;
    await first.close();
    await second.close();
  });

  test("B6: the client's certificate and the server's name are not used for another origin", async () => {
    const clientCertificates: unknown[] = [];
    const tls = { ...certificates.server, ca: certificates.ca, requestCert: true, rejectUnauthorized: false };
    await using second = await RawServer.start({ tls }, redirecting());
    await using first = await RawServer.start({ tls }, redirecting([302, "/same"], [302, second.url()]));
    await open(first.url(), {
      tls: { ca: certificates.ca, servername: "localhost", ...certificates.client },
    });
    for (const server of [first, second]) {
      for (const { clientCertificate } of server.peers) clientCertificates.push(clientCertificate);
    }
    assert.deepEqual(clientCertificates, ["client.test", "client.test", null]);
    await first.close();
    await second.close();
  });

  test("B6: redirects are not remembered: the next connection starts at the URL again", async () => {
    await using server = await RawServer.start({}, async (peer) => {
      const { startLine } = await peer.readHead();
      peer.respond(startLine.includes("/first") ? 302 : 410, { headers: { Location: "/second" } });
    });
    const url = server.url("/first");
    for (let count = 0; count < 2; count++) await assert.rejects(connect(url), { status: 410 });
    assert.deepEqual(targets(server), ["/first", "/second", "/first", "/second"]);
    await server.close();
  });

  test("B6: one openTimeout covers all hops", async () => {
    // A separate timeout for the second hop would start after the 2,500 ms of the first hop.
    await assertWithin(5_400, async () => {
      await using server = await RawServer.start({}, async (peer) => {
        await peer.readHead();
        await peer.pause(2_500);
        if (server.peers.length === 1) peer.respond(302, { headers: { Location: "/mute" } });
      });
      const began = performance.now();
      const error: unknown = await connect(server.url(), { openTimeout: 3_000 }).catch(
        (reason: unknown) => reason,
      );
      const elapsed = performance.now() - began;
      assert(error instanceof OpenTimeoutError, String(error));
      assert(elapsed >= 2_999, `${elapsed} ms`);
      await server.close();
      if (server.peers.length < 2) return Infinity; // A busy machine: the first hop took all of the time.
      assert.equal(error.phase, "upgrade");
      assert.equal(
        error.message,
        `Expected ${server.url("/mute")} (where ${server.url()} redirects to) to be open within 3000 ms, still waiting for the answer to the upgrade.`,
      );
      return elapsed;
    });
  });

  test("B6: an abort ends any of the hops", async () => {
    await using server = await RawServer.start({}, async (peer) => {
      await peer.readHead();
      if (server.peers.length < 3) peer.respond(302, { headers: { Location: "/" } });
    });
    const aborter = new AbortController();
    const opening = connect(server.url(), { signal: aborter.signal });
    const failed = assert.rejects(opening, { name: "AbortError" });
    await eventually(() => server.peers.length === 3, "the third hop");
    aborter.abort();
    await withTimeout(failed, 30_000, "the abort");
    await server.close();
  });

  test("B6: the body of a redirect is not waited for, however long it is", async () => {
    await using server = await RawServer.start({}, async (peer) => {
      const { startLine } = await peer.readHead();
      if (startLine.includes("/end")) peer.respond(410);
      else peer.write("HTTP/1.1 302 Found\r\nLocation: /end\r\nContent-Length: 1000000000\r\n\r\nendless");
    });
    const began = performance.now();
    await assert.rejects(connect(server.url()), { status: 410 });
    assert(performance.now() - began < 9_000);
    await server.close();
  });
});
