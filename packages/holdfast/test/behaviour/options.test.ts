import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { after, before, describe, test } from "node:test";
import { connect, serve, type ConnectOptions } from "holdfast";
import { activeResources, assertNothingLeft, RawServer, type ResourceCounts } from "holdfast-testkit";

const DURATION = "a positive number of milliseconds (at most 2147483647) or null";
const SIZE = "a positive whole number or null";
const BAD_DURATIONS: readonly (readonly [unknown, string])[] = [
  ["20s", '"20s" (string)'],
  [0, "0 (number)"],
  [-1, "-1 (number)"],
  [NaN, "NaN (number)"],
  [Infinity, "Infinity (number)"],
  [2 ** 31, "2147483648 (number)"],
  [true, "true (boolean)"],
  [5n, "5 (bigint)"],
  [{}, "an object"],
  [() => 5, "a function"],
];
const BAD_SIZES: readonly (readonly [unknown, string])[] = [
  ["1MB", '"1MB" (string)'],
  [0, "0 (number)"],
  [-1, "-1 (number)"],
  [1.5, "1.5 (number)"],
  [2 ** 53, "9007199254740992 (number)"],
  [Symbol("x"), "a symbol"],
];

type Row = readonly [options: Record<string, unknown>, message: string];

function rows(names: readonly string[], values: typeof BAD_SIZES, what: string): Row[] {
  return names.flatMap((name) =>
    values.map(([value, got]): Row => [{ [name]: value }, `Expected \`${name}\` to be ${what}, got ${got}.`]),
  );
}

function shown(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return `${JSON.stringify(value)} (${typeof value})`;
}

/** Options of both sides. */
const SHARED: readonly Row[] = [
  ...rows(["pingInterval", "pingTimeout", "closeTimeout", "openTimeout"], BAD_DURATIONS, DURATION),
  ...rows(
    ["maxMessageSize", "writeLimit", "maxHandshakeSize", "maxQueue"],
    BAD_SIZES.filter(([value]) => typeof value !== "object"),
    SIZE,
  ),
  [{ maxQueue: { messages: 0 } }, `Expected \`maxQueue.messages\` to be ${SIZE}, got 0 (number).`],
  [{ maxQueue: { bytes: "1" } }, `Expected \`maxQueue.bytes\` to be ${SIZE}, got "1" (string).`],
  [{ liveness: "ping" }, 'Expected `liveness` to be "pong" or "traffic", got "ping" (string).'],
  [{ liveness: null }, 'Expected `liveness` to be "pong" or "traffic", got null.'],
  ...[null, "phi", 5, [], true].map((detection): Row => [
    { detection },
    `Expected \`detection\` to be "fixed", "adaptive", or an object with \`floor\` and \`maxPeriod\`, got ${shown(detection)}.`,
  ]),
  [{ detection: { flor: 1 } }, "Expected only options of `detection`, got `flor`. Did you mean `floor`?"],
  [
    { detection: { floor: "3s" } },
    'Expected `detection.floor` to be a positive number of milliseconds (at most 2147483647), got "3s" (string).',
  ],
  [
    { detection: { maxPeriod: null } },
    "Expected `detection.maxPeriod` to be a positive number of milliseconds (at most 2147483647), got null.",
  ],
  [
    { detection: { floor: 3_000 }, pingTimeout: 2_000 },
    "Expected `detection.floor` to be at most `pingTimeout` (2000), got 3000 (number).",
  ],
  [
    { detection: "adaptive", pingInterval: null },
    'Expected no `detection` but "fixed" beside `pingInterval: null`, which sends no ping to measure, got "adaptive" (string).',
  ],
  [{ autoPong: "yes" }, 'Expected `autoPong` to be true or false, got "yes" (string).'],
  [{ autoPong: null }, "Expected `autoPong` to be true or false, got null."],
  [
    { compression: "yes" },
    'Expected `compression` to be true, false or an object of options, got "yes" (string).',
  ],
  [
    { compression: { level: 10 } },
    "Expected `compression.level` to be a whole number from 1 to 9, got 10 (number).",
  ],
  [
    { compression: { serverMaxWindowBits: 7 } },
    "Expected `compression.serverMaxWindowBits` to be a whole number from 8 to 15, got 7 (number).",
  ],
  [
    { compression: { clientNoContextTakeover: 1 } },
    "Expected `compression.clientNoContextTakeover` to be true or false, got 1 (number).",
  ],
  [{ logger: 5 }, "Expected `logger` to be an object with debug, info, warn and error, got 5 (number)."],
  [
    { logger: { info: () => undefined } },
    "Expected `logger` to be an object with debug, info, warn and error, got an object.",
  ],
  [
    { pingInterval: null, pingTimeout: 5 },
    "Expected no `pingTimeout` beside `pingInterval: null`, which sends no ping that could time out, got 5 (number).",
  ],
];

const PROXY = 'the URL of a proxy, such as "http://proxy.example:3128"';
const SCHEMES = "with the scheme http, https, socks, socks5, socks5h, socks4, socks4a";
const NO_STREAM = "an open Duplex stream of bytes, which this one is not: it";
const CONNECT: readonly Row[] = [
  [
    { maxRedirects: -1 },
    "Expected `maxRedirects` to be a whole number that is not negative, or null, got -1 (number).",
  ],
  [
    { maxRedirects: 1.5 },
    "Expected `maxRedirects` to be a whole number that is not negative, or null, got 1.5 (number).",
  ],
  [{ proxy: 5 }, "Expected `proxy` to be a URL, an object with `url`, or null, got 5 (number)."],
  [{ proxy: "ftp://a:b@c" }, `Expected \`proxy\` to be ${PROXY}, ${SCHEMES}, got "ftp://c".`],
  [{ proxy: "" }, `Expected \`proxy\` to be ${PROXY}, got "".`],
  [{ proxy: {} }, "Expected `proxy.url` to be the URL of a proxy, got undefined."],
  [{ proxy: { url: "http://a/b" } }, `Expected \`proxy.url\` to be ${PROXY}, got "http://a/b".`],
  [
    { proxy: { url: "socks://a", tls: {} } },
    "Expected no `proxy.tls` for a SOCKS proxy, which has none, got an object.",
  ],
  [
    { proxy: { url: "socks://a", headers: {} } },
    "Expected no `proxy.headers` for a SOCKS proxy, which has none, got an object.",
  ],
  [
    { proxy: { url: "https://a", tls: 5 } },
    "Expected `proxy.tls` to be an object of options of tls.connect, got 5 (number).",
  ],
  [
    { proxy: { url: "http://a", headers: { Host: "b" } } },
    'Expected `proxy.headers` to be without Host, which CONNECT sets itself, got "b" (string).',
  ],
  [{ socketPath: "" }, 'Expected `socketPath` to be the path of a socket, got "" (string).'],
  [{ socketPath: "a\0b" }, 'Expected `socketPath` to be the path of a socket, got "a\\u0000b" (string).'],
  [{ stream: {} }, "Expected `stream` to be a Duplex stream, got an object."],
  [
    { stream: new PassThrough({ objectMode: true }) },
    `Expected \`stream\` to be ${NO_STREAM} is in object mode, got an object.`,
  ],
  [
    { stream: new PassThrough({ encoding: "utf8" }) },
    `Expected \`stream\` to be ${NO_STREAM} has an encoding set, got an object.`,
  ],
  [{ stream: new PassThrough().end() }, `Expected \`stream\` to be ${NO_STREAM} has ended, got an object.`],
  [
    { stream: new PassThrough().destroy() },
    `Expected \`stream\` to be ${NO_STREAM} was destroyed, got an object.`,
  ],
  [{ createConnection: {} }, "Expected `createConnection` to be a function, got an object."],
  [{ createConnection: () => 5 }, "Expected `createConnection()` to be a Duplex stream, got 5 (number)."],
  [
    { proxy: "http://a", stream: new PassThrough() },
    "Expected at most one of `proxy`, `socketPath`, `stream` and `createConnection`, got `proxy` and `stream`.",
  ],
  [
    { socketPath: "/a", createConnection: () => new PassThrough() },
    "Expected at most one of `proxy`, `socketPath`, `stream` and `createConnection`, got `socketPath` and `createConnection`.",
  ],
  [{ tls: 5 }, "Expected `tls` to be an object of options of tls.connect, got 5 (number)."],
  [{ tls: null }, "Expected `tls` to be an object of options of tls.connect, got null."],
  ...["host", "path", "port", "socket"].map((name): Row => [
    { tls: { [name]: "x" } },
    `Expected \`tls\` to be without \`${name}\`, as the URL says where to connect to (see \`socketPath\` and \`stream\` for other ways), got an object.`,
  ]),
  [{ localAddress: "localhost" }, 'Expected `localAddress` to be an IP address, got "localhost" (string).'],
  [{ family: 5 }, "Expected `family` to be 0, 4 or 6, got 5 (number)."],
  [{ lookup: "dns" }, 'Expected `lookup` to be a function, got "dns" (string).'],
  [
    { redirectHeaders: "X-Region" },
    'Expected `redirectHeaders` to be a list of names of headers, got "X-Region" (string).',
  ],
  [{ autoSelectFamily: 1 }, "Expected `autoSelectFamily` to be true or false, got 1 (number)."],
  [{ signal: 5 }, "Expected `signal` to be an AbortSignal, got 5 (number)."],
  [{ signal: {} }, "Expected `signal` to be an AbortSignal, got an object."],
];

const ORIGINS = '"same-origin", "any" or a list of origins such as "https://example.com", and of RegExps';
const HOSTS = 'a list of names such as "example.com" or "example.com:8443", without a scheme, and of RegExps';
const TOKENS = "a list of tokens (RFC 6455 section 4.1)";
const SERVE: readonly Row[] = [
  [{ port: -1 }, "Expected `port` to be a number from 0 to 65535, got -1 (number)."],
  [{ port: 65536 }, "Expected `port` to be a number from 0 to 65535, got 65536 (number)."],
  [{ port: "80" }, 'Expected `port` to be a number from 0 to 65535, got "80" (string).'],
  [{ origins: "all" }, `Expected \`origins\` to be ${ORIGINS}, got "all" (string).`],
  [{ origins: ["https://a", 5] }, `Expected \`origins\` to be ${ORIGINS}, got 5 (number).`],
  // No page has such an origin, so they would refuse every page.
  ...[
    "*",
    "any",
    "",
    "example.com",
    "https://*.example.com",
    "https://example.com/app",
    "https://a b",
    "https://a\\b",
    "https://a:99999",
    "http://[::1",
    "wss://example.com",
  ].map((origin): Row => [
    { origins: [origin] },
    `Expected \`origins\` to be ${ORIGINS}, got ${JSON.stringify(origin)} (string).`,
  ]),
  ...["", "*.example.com", "https://example.com", "a b", "a:99999", "[fe80::1%eth0]", "1.2.3.4.5"].map(
    (host): Row => [
      { hosts: [host] },
      `Expected \`hosts\` to be ${HOSTS}, got ${JSON.stringify(host)} (string).`,
    ],
  ),
  [{ subprotocols: "chat" }, `Expected \`subprotocols\` to be ${TOKENS}, got "chat" (string).`],
  [{ subprotocols: ["a b"] }, `Expected \`subprotocols\` to be ${TOKENS}, got an array.`],
  [{ selectSubprotocol: "chat" }, 'Expected `selectSubprotocol` to be a function, got "chat" (string).'],
];

describe("Options", () => {
  let server: RawServer;
  let resources: ResourceCounts;

  before(async () => {
    server = await RawServer.start();
    resources = activeResources();
  });

  after(async () => {
    await assertNothingLeft(resources);
    assert.equal(server.peers.length, 0, "a refused option must not reach the network");
    await server.close();
  });

  const title = (options: Record<string, unknown>, message: string) =>
    `${Object.keys(options).join(", ")}: got${message.split(", got")[1] ?? ""}`;

  for (const [options, message] of [...SHARED, ...CONNECT]) {
    test(`A8: connect() refuses ${title(options, message)}, before any I/O`, async () => {
      await assert.rejects(connect(server.url(), options), {
        name: "InvalidArgumentError",
        code: "ERR_HOLDFAST_INVALID_ARGUMENT",
        message,
      });
    });
  }

  for (const [options, message] of [...SHARED, ...SERVE]) {
    test(`A8: serve() refuses ${title(options, message)}, before it listens`, async () => {
      await assert.rejects(
        serve(() => undefined, options),
        {
          name: "InvalidArgumentError",
          code: "ERR_HOLDFAST_INVALID_ARGUMENT",
          message,
        },
      );
    });
  }

  test("A8: serve() rejects a handler that is not a function", async () => {
    // @ts-expect-error Callers without types may pass anything.
    await assert.rejects(serve(undefined), {
      message: "Expected `handler` to be a function, got undefined.",
    });
  });

  test("A8: Server.close() rejects invalid options, and closes nothing", async () => {
    const holdfast = await serve(() => undefined, { host: "127.0.0.1" });
    await assert.rejects(holdfast.close({ code: 1005 }), { name: "InvalidArgumentError" });
    await assert.rejects(holdfast.close({ reason: "x".repeat(124) }), { name: "InvalidArgumentError" });
    await assert.rejects(holdfast.close({ timeout: -1 }), { name: "InvalidArgumentError" });
    const connection = await connect(holdfast.url);
    assert.equal(connection.state, "open");
    const closed = connection.closed;
    await holdfast.close();
    assert.equal((await closed).code, 1001);
  });

  test("A8: undefined means the default, null disables, and every valid value is accepted", async () => {
    const holdfast = await serve(() => undefined, { host: "127.0.0.1" });
    const good: readonly ConnectOptions[] = [
      Object.fromEntries(SHARED.map(([options]) => [Object.keys(options)[0] ?? "", undefined])),
      {
        openTimeout: null,
        closeTimeout: null,
        maxMessageSize: null,
        maxQueue: null,
        logger: null,
        signal: null,
      },
      { pingInterval: null },
      {
        proxy: null,
        maxRedirects: null,
        localAddress: "127.0.0.1",
        family: 4,
        autoSelectFamily: false,
        tls: {},
      },
      { proxy: undefined, socketPath: undefined, stream: undefined, createConnection: undefined, family: 0 },
      { pingInterval: null, pingTimeout: null },
      { pingTimeout: null, liveness: "traffic", autoPong: false, compression: false },
      { compression: true },
      { compression: { serverMaxWindowBits: 8, clientMaxWindowBits: 15, threshold: 0 } },
      { maxQueue: { messages: 1, bytes: null }, writeLimit: 1, maxMessageSize: 1, logger: console },
    ];
    for (const options of good) {
      const connection = await connect(holdfast.url, options);
      assert.equal(connection.state, "open");
      connection.terminate();
      await connection.closed;
    }
    await holdfast.close();
  });
});
