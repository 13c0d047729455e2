import assert from "node:assert/strict";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { connect, HandshakeError, serve, type ConnectOptions } from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  RawServer,
  testCertificates,
  type ResourceCounts,
  type TestCertificates,
} from "holdfast-testkit";

type TlsOptions = NonNullable<ConnectOptions["tls"]>;

let certificates: TestCertificates;
let resources: ResourceCounts;

before(async () => {
  certificates = await testCertificates();
});
beforeEach(() => {
  resources = activeResources();
});
afterEach(async () => {
  await assertNothingLeft(resources, { timeout: 30_000 });
});

/** Callbacks with wrong results, as JavaScript without types allows. */
const faults: readonly (readonly [
  what: string,
  check: () => unknown,
  message: RegExp,
  cause: RegExp | null,
])[] = [
  ["throws an error", () => raise(new Error("boom")), /` threw: boom\.$/, /boom/],
  ["throws a string", () => raise("boom"), /` threw: boom\.$/, /boom/],
  [
    "throws what has no text",
    () => raise(Object.create(null)),
    /` threw: a value that cannot be converted to a string\.$/,
    /./,
  ],
  [
    "throws what looks like an error of the system",
    () => raise(Object.assign(new Error("boom"), { code: "ECONNREFUSED" })),
    /` threw: boom\.$/,
    /boom/,
  ],
  ["is async", () => Promise.resolve(undefined), /` to return .*, got a promise\.$/, null],
  ["is async and rejects", () => Promise.reject(new Error("late")), /` to return .*, got a promise\.$/, null],
  ["returns a string", () => "not this one", /got "not this one" \(string\)\.$/, null],
  ["returns true", () => true, /` to return .*, got true \(boolean\)\.$/, null],
  // Node takes these for success.
  ["returns false", () => false, /` to return an Error or undefined, got false \(boolean\)\.$/, null],
  ["returns null", () => null, /` to return an Error or undefined, got null\.$/, null],
];

function raise(thrown: unknown): never {
  throw thrown;
}

/** Without openTimeout, so that a hanging handshake fails the test. */
async function failureOf(url: string, options: ConnectOptions): Promise<HandshakeError> {
  const error: unknown = await connect(url, { openTimeout: null, ...options }).catch(
    (reason: unknown) => reason,
  );
  assert(error instanceof HandshakeError, String(error));
  return error;
}

/** Node would read its stack or its code, and raise an uncaught exception. */
function unreadable(name: "stack" | "message" | "code"): Error {
  return Object.defineProperty(new Error("boom"), name, { get: () => raise(new Error("unreadable")) });
}

describe("A checkServerIdentity", () => {
  for (const name of ["stack", "message", "code"] as const) {
    test(`B12: that returns an Error whose ${name} cannot be read: tls, at once, also for the proxy's certificate`, async () => {
      await using server = await serve(() => undefined, {
        host: "127.0.0.1",
        tls: certificates.server,
        http2: true,
      });
      const tls = { ca: certificates.ca, checkServerIdentity: () => unreadable(name) };
      for (const http2 of [false, true])
        assert.equal((await failureOf(server.url, { tls, http2 })).failure, "tls");
      await using proxy = await RawServer.start({ tls: certificates.server });
      const url = `https://127.0.0.1:${proxy.port}`;
      assert.equal((await failureOf("ws://name.test/", { proxy: { url, tls } })).failure, "proxy");
      await proxy.close();
      await server.close();
    });
  }

  for (const [what, check, message, cause] of faults) {
    for (const [way, options] of [
      ["directly", {}],
      ["over HTTP/2", { http2: true }],
      ["over a given stream", { createConnection: "yes" }],
      ["unverified", { unverified: true }],
    ] as const) {
      test(`B12: ${way}, that ${what}: tls, at once`, async () => {
        await using server = await serve(() => undefined, {
          host: "127.0.0.1",
          tls: certificates.server,
          http2: true,
        });
        const tls: TlsOptions = {
          ca: certificates.ca,
          checkServerIdentity: check as () => undefined,
          ...("unverified" in options ? { rejectUnauthorized: false } : {}),
        };
        const error = await failureOf(server.url.replace("localhost", "127.0.0.1"), {
          tls,
          ...("http2" in options ? { http2: true } : {}),
          ...("createConnection" in options
            ? {
                createConnection: async ({ port }) => {
                  const { connect: connectTcp } = await import("node:net");
                  return connectTcp({ host: "127.0.0.1", port });
                },
              }
            : {}),
        });
        assert.deepEqual([error.failure, error.code], ["tls", "ERR_HOLDFAST_TLS"]);
        assert.match(error.message, /^The TLS handshake failed with wss:.*`tls\.checkServerIdentity`/);
        assert.match(error.message, message);
        if (cause !== null) assert.notEqual(error.cause, undefined);
        await server.close();
      });
    }
  }

  test("B12: for the proxy's certificate: a ProxyError that names the option", async () => {
    await using proxy = await RawServer.start({ tls: certificates.server });
    const tls = { ca: certificates.ca, checkServerIdentity: () => raise(new Error("boom")) };
    const error = await failureOf("ws://name.test/", {
      proxy: { url: `https://127.0.0.1:${proxy.port}`, tls },
    });
    assert.equal(error.name, "ProxyError");
    assert.match(error.message, /`proxy\.tls\.checkServerIdentity` threw: boom/);
    await proxy.close();
  });

  test("B12: undefined means Node's own", async () => {
    await using server = await serve(() => undefined, { host: "127.0.0.1", tls: certificates.server });
    // Exact types forbid an explicit undefined, but spread options can contain it.
    const tls = { ca: certificates.ca, checkServerIdentity: undefined } as unknown as TlsOptions;
    const connection = await connect(`wss://127.0.0.1:${server.port}/`, { tls });
    await connection.close();
    await server.close();
  });

  test("B12: one that is not a function, and options that throw when they are read: InvalidArgumentError, before any I/O", async () => {
    for (const [tls, message] of [
      [{ checkServerIdentity: "no" }, /`tls\.checkServerIdentity` to be a function/],
      [{ pskCallback: 1 }, /`tls\.pskCallback` to be a function/],
      [{ lookup: {} }, /`tls\.lookup` to be a function/],
      [{ servername: 1 }, /`tls\.servername` to be a host name/],
      [
        {
          get secureContext() {
            return raise(new Error("boom"));
          },
        },
        /^Expected `tls` to be options of tls\.connect, got an error: boom\.$/,
      ],
    ] as const) {
      await assert.rejects(connect("wss://127.0.0.1:1/", { tls: tls as unknown as TlsOptions }), {
        name: "InvalidArgumentError",
        message,
      });
    }
  });
});

describe("A pskCallback", () => {
  const PSK = { psk: Buffer.from("0123456789abcdef"), identity: "client" };
  const options = { ciphers: "PSK-AES128-GCM-SHA256", maxVersion: "TLSv1.2" } as const;

  const startServer = () =>
    serve(() => undefined, {
      host: "127.0.0.1",
      tls: { ...options, pskCallback: () => PSK.psk },
    });

  test("B8: opens a connection without certificates", async () => {
    await using server = await startServer();
    const connection = await connect(`wss://127.0.0.1:${server.port}/`, {
      tls: { ...options, pskCallback: () => PSK, checkServerIdentity: () => undefined },
    });
    await connection.close();
    await server.close();
  });

  const nonsense: readonly (readonly [what: string, callback: () => unknown, message: RegExp])[] = [
    ["throws", () => raise(new Error("boom")), /`tls\.pskCallback` threw: boom/],
    ["returns a string", () => "key", /`tls\.pskCallback` to return .*, got "key"/],
    ["returns a promise", () => Promise.reject(new Error("late")), /`tls\.pskCallback` to return/],
    ["returns no identity", () => ({ psk: PSK.psk }), /`tls\.pskCallback` to return/],
    ["returns a key that is too long", () => ({ ...PSK, psk: Buffer.alloc(9999) }), /at most 256 bytes/],
    ["returns an identity that is too long", () => ({ ...PSK, identity: "x".repeat(9999) }), /at most/],
  ];
  for (const [what, callback, message] of nonsense) {
    test(`B12: that ${what}: tls, at once`, async () => {
      await using server = await startServer();
      const error = await failureOf(`wss://127.0.0.1:${server.port}/`, {
        tls: { ...options, pskCallback: callback as () => null },
      });
      assert.equal(error.failure, "tls");
      assert.match(error.message, message);
      await server.close();
    });
  }
});

describe("An SNICallback of a server", () => {
  for (const [what, callback] of [
    ["throws", () => raise(new Error("boom"))],
    ["is async and rejects", () => Promise.reject(new Error("boom"))],
    ["is async and rejects with an unreadable error", () => Promise.reject(unreadable("stack"))],
  ] as const) {
    test(`B12: that ${what} ends that handshake, at once, and nothing else`, async () => {
      await using server = await serve(() => undefined, {
        host: "127.0.0.1",
        tls: { ...certificates.server, SNICallback: callback as unknown as () => void },
      });
      const tls = { ca: certificates.ca };
      await assert.rejects(connect(`wss://localhost:${server.port}/`, { tls, openTimeout: null }), {
        failure: "eof",
      });
      // An IP address is not a host name, so no SNI is sent.
      const connection = await connect(`wss://127.0.0.1:${server.port}/`, { tls });
      await connection.close();
      await server.close();
    });
  }
});
