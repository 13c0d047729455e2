// Host names with several addresses, on real sockets: all of 127.0.0.0/8 is this machine.

import assert from "node:assert/strict";
import { lookup as lookupName } from "node:dns";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { connect, HandshakeError, serve, type ConnectOptions } from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  RawServer,
  testCertificates,
  TunnelProxy,
  type ResourceCounts,
  type TestCertificates,
} from "holdfast-testkit";
import { startDeafServer } from "./deaf-server.js";

type Lookup = NonNullable<ConnectOptions["lookup"]>;

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

/** A `lookup` that returns these addresses. */
function finding(...addresses: readonly string[]): Lookup {
  return (_hostname, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    );
}

describe("Several addresses", () => {
  for (const scheme of ["ws", "wss"] as const) {
    test(`B11: ${scheme}: [mute, fast] opens after the attempt delay, and the mute one is dropped`, async () => {
      await using server = await serve(() => undefined, {
        host: "127.0.0.1",
        ...(scheme === "wss" ? { tls: certificates.server } : {}),
      });
      await using _deaf = await startDeafServer({ host: "127.0.0.2", port: server.port });
      const began = performance.now();
      const connection = await connect(`${scheme}://localhost:${server.port}/`, {
        lookup: finding("127.0.0.2", "127.0.0.1"),
        tls: { ca: certificates.ca },
      });
      const elapsed = performance.now() - began;
      assert(elapsed >= 249, `${elapsed} ms`);
      assert.equal(connection.remoteAddress?.address, "127.0.0.1");
      await connection.close();
    });
  }

  test("B11: an address whose TCP handshake takes a second opens, while another one refuses", async () => {
    await using deaf = await startDeafServer();
    setTimeout(() => deaf.wake(), 300);
    await assert.rejects(
      connect(`ws://name.test:${deaf.port}/`, { lookup: finding("127.0.0.1", "127.0.0.3") }),
      { name: "InvalidStatusError", status: 410 },
    );
  });

  test("B11: a timeout lists each address with its result; the phase is connect", async () => {
    await using deaf = await startDeafServer();
    const { port } = deaf;
    const url = `ws://name.test:${port}/`;
    await assert.rejects(connect(url, { lookup: finding("127.0.0.1", "127.0.0.3"), openTimeout: 1_500 }), {
      name: "OpenTimeoutError",
      phase: "connect",
      message: `Expected ${url} to be open within 1500 ms, still waiting for the TCP connection (127.0.0.1:${port}: no answer yet; connect ECONNREFUSED 127.0.0.3:${port}).`,
    });
  });

  test("B11: an abort ends all attempts at once", async () => {
    await using deaf = await startDeafServer();
    const aborter = new AbortController();
    const opening = connect(`ws://name.test:${deaf.port}/`, {
      lookup: finding("127.0.0.1", "127.0.0.1", "127.0.0.3"),
      signal: aborter.signal,
    });
    setTimeout(() => aborter.abort(), 400);
    await assert.rejects(opening, { name: "AbortError" });
  });

  test("B11: the addresses of a proxy are raced too", async () => {
    await using server = await serve(() => undefined, { host: "127.0.0.1" });
    await using proxy = await TunnelProxy.start();
    await using _deaf = await startDeafServer({ host: "127.0.0.2", port: proxy.port });
    const connection = await connect(`ws://127.0.0.1:${server.port}/`, {
      proxy: `http://proxy.test:${proxy.port}`,
      lookup: finding("127.0.0.2", "127.0.0.1"),
    });
    await connection.close();
    await proxy.close();
  });

  test("B11: over HTTP/2, and after a redirect", async () => {
    await using server = await serve(() => undefined, { host: "127.0.0.1", http2: true });
    await using _deaf = await startDeafServer({ host: "127.0.0.2", port: server.port });
    await using first = await RawServer.start({}, async (peer) => {
      await peer.readHead();
      peer.respond(302, { headers: { Location: `ws://name.test:${server.port}/` } });
    });
    const lookup = finding("127.0.0.2", "127.0.0.1");
    const multiplexed = await connect(`ws://name.test:${server.port}/`, { lookup, http2: true });
    await multiplexed.close();
    const redirected = await connect(first.url(), { lookup });
    assert.equal(redirected.url, `ws://name.test:${server.port}/`);
    await redirected.close();
    await first.close();
    await server.close();
  });

  test("B11: autoSelectFamily: false tries the first address only; family and localAddress choose among them", async () => {
    await using server = await serve(() => undefined, { host: "127.0.0.1" });
    const url = `ws://name.test:${server.port}/`;
    await assert.rejects(
      connect(url, { lookup: finding("127.0.0.3", "127.0.0.1"), autoSelectFamily: false }),
      {
        failure: "refused",
        message: `Nothing listens at ${url}: connect ECONNREFUSED 127.0.0.3:${server.port}.`,
      },
    );
    for (const options of [{ family: 4 }, { localAddress: "127.0.0.9" }] as const) {
      const connection = await connect(url, { lookup: finding("::1", "127.0.0.1"), ...options });
      await connection.close();
    }
    await assert.rejects(connect(url, { lookup: finding("127.0.0.1"), family: 6 }), {
      failure: "dns",
      message: /to find an IPv6 address, got the address "127\.0\.0\.1" \(string\), family 4 \(number\)\.$/,
    });
  });
});

describe("A lookup of the application's", () => {
  const V4 = { address: "127.0.0.1", family: 4 };
  type AnyLookup = (hostname: string, options: object, callback: (...results: unknown[]) => void) => unknown;
  const nonsense: readonly (readonly [why: string, lookup: AnyLookup, message: RegExp])[] = [
    ["an empty list", (_n, _o, done) => done(null, []), /to find an address, got none\.$/],
    ["undefined", (_n, _o, done) => done(null, undefined), /to find an address, got undefined\.$/],
    ["nothing", (_n, _o, done) => done(), /to find an address, got undefined\.$/],
    ["null", (_n, _o, done) => done(null, null), /to find an address, got null\.$/],
    ["a string that is no address", (_n, _o, done) => done(null, "nope", 4), /got "nope" \(string\)\.$/],
    ["a list of nothing", (_n, _o, done) => done(null, [null]), /to find an address, got null\.$/],
    ["objects of other kinds", (_n, _o, done) => done(null, [{ ip: "127.0.0.1" }]), /got an object\.$/],
    [
      "an address of another family than it says",
      (_n, _o, done) => done(null, [{ address: "127.0.0.1", family: 6 }]),
      /got the address "127\.0\.0\.1" \(string\), family 6 \(number\)\.$/,
    ],
    ["an error", (_n, _o, done) => done(new Error("no such name")), /no such name\.$/],
    ["an error that is a string", (_n, _o, done) => done("no such name"), /no such name\.$/],
    [
      "an error that has no text",
      (_n, _o, done) => done(Object.create(null)),
      /a value that cannot be converted to a string\.$/,
    ],
    ["an error of the name server", (_n, _o, done) => done(refusedByServer()), /ECONNREFUSED\.$/],
    [
      "an exception",
      () => {
        throw new Error("boom");
      },
      /boom\.$/,
    ],
    [
      "an exception that has no text",
      () => {
        throw Object.create(null);
      },
      /a value that cannot be converted to a string\.$/,
    ],
    ["a rejection", () => Promise.reject(new Error("boom")), /boom\.$/],
    ["a promise of a list", () => Promise.resolve([V4]), /to its callback, got them as its result\. Call/],
    ["a promise of an address", () => Promise.resolve(V4), /to its callback, got them as its result\. Call/],
    ["a list as its result", () => ["127.0.0.1"], /to its callback, got them as its result\. Call/],
  ];
  for (const [what, lookup, message] of nonsense) {
    for (const [way, url, options] of [
      ["ws", "ws://name.test/", {}],
      ["wss", "wss://name.test/", {}],
      ["HTTP/2", "ws://name.test/", { http2: true }],
    ] as const) {
      test(`B12: ${way}: it yields ${what}: dns, at once`, async () => {
        const error: unknown = await connect(url, {
          ...options,
          lookup: lookup as Lookup,
          openTimeout: null,
        }).catch((reason: unknown) => reason);
        assert(error instanceof HandshakeError, String(error));
        assert.deepEqual([error.failure, error.code], ["dns", "ERR_HOLDFAST_DNS"]);
        assert.match(error.message, /^No address was found for wss?:\/\/name\.test\/: /);
        assert.match(error.message, message);
      });
    }
  }

  test("B12: for the proxy's own address, it is the proxy's failure", async () => {
    const lookup = ((_n: string, _o: object, done: (...results: unknown[]) => void) =>
      done(null, [])) as Lookup;
    await assert.rejects(connect("ws://name.test/", { proxy: "http://proxy.test", lookup }), {
      name: "ProxyError",
      message: /proxy\.test.*to find an address, got none/,
    });
  });

  const good: readonly (readonly [how: string, lookup: AnyLookup])[] = [
    [
      "twice",
      (_n, _o, done) => {
        for (const result of [[null, [V4]], [null, [V4]], [new Error("late")]]) done(...result);
      },
    ],
    [
      "and throws afterwards",
      (_n, _o, done) => {
        done(null, [V4]);
        throw new Error("late");
      },
    ],
    ["with one address, as without the option `all`", (_n, _o, done) => done(null, "127.0.0.1", 4)],
    [
      "from an async function that waits for nothing",
      async (_n, _o, done) => lookupName("localhost", { family: 4 }, done),
    ],
    ["in a later turn", (_n, _o, done) => setImmediate(done, null, [V4])],
    ["with nonsense beside an address", (_n, _o, done) => done(null, [null, { address: "x" }, V4])],
  ];
  for (const [how, lookup] of good) {
    test(`B12: it calls back ${how}: the connection opens`, async () => {
      await using server = await serve(() => undefined, { host: "127.0.0.1" });
      const connection = await connect(`ws://name.test:${server.port}/`, { lookup: lookup as Lookup });
      await connection.close();
    });
  }

  for (const [way, options] of [
    ["HTTP/1.1", {}],
    ["HTTP/2", { http2: true }],
  ] as const) {
    test(`B12: ${way}: one that hangs ends at openTimeout, and does not delay other connections`, async () => {
      await using server = await serve(() => undefined, { host: "127.0.0.1", http2: true });
      let calls = 0;
      const lookup: Lookup = (_hostname, _options, callback) => {
        if (++calls > 1) callback(null, [V4]);
      };
      const url = `ws://name.test:${server.port}/`;
      await assert.rejects(connect(url, { ...options, lookup, openTimeout: 100 }), { phase: "dns" });
      const connection = await connect(url, { ...options, lookup });
      await connection.close();
    });
  }

  test("B11: one that calls back at once leaves the phase dns", async () => {
    await using deaf = await startDeafServer();
    await assert.rejects(
      connect(`ws://name.test:${deaf.port}/`, { lookup: finding("127.0.0.1"), openTimeout: 150 }),
      { phase: "connect" },
    );
  });
});

function refusedByServer(): Error {
  return Object.assign(new Error("queryA ECONNREFUSED"), { code: "ECONNREFUSED" });
}
