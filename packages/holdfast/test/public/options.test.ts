import assert from "node:assert/strict";
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
  [{}, "an object (Object)"],
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
    values.map(([value, got]): Row => [{ [name]: value }, `Expected \`${name}\` to be ${what}, got ${got}`]),
  );
}

/** Options that both sides have. */
const SHARED: readonly Row[] = [
  ...rows(["pingInterval", "pingTimeout", "closeTimeout", "openTimeout"], BAD_DURATIONS, DURATION),
  ...rows(
    ["maxMessageSize", "writeLimit", "maxHandshakeSize", "maxQueue"],
    BAD_SIZES.filter(([value]) => typeof value !== "object"),
    SIZE,
  ),
  [{ maxQueue: { messages: 0 } }, `Expected \`maxQueue.messages\` to be ${SIZE}, got 0 (number)`],
  [{ maxQueue: { bytes: "1" } }, `Expected \`maxQueue.bytes\` to be ${SIZE}, got "1" (string)`],
  [{ liveness: "ping" }, 'Expected `liveness` to be "pong" or "traffic", got "ping" (string)'],
  [{ liveness: null }, 'Expected `liveness` to be "pong" or "traffic", got null'],
  [{ autoPong: "yes" }, 'Expected `autoPong` to be true or false, got "yes" (string)'],
  [{ autoPong: null }, "Expected `autoPong` to be true or false, got null"],
  [
    { compression: true },
    "Expected `compression` to be false, since this version has none yet, got true (boolean)",
  ],
  [{ logger: 5 }, "Expected `logger` to be an object with debug, info, warn and error, got 5 (number)"],
  [
    { logger: { info: () => undefined } },
    "Expected `logger` to be an object with debug, info, warn and error, got an object (Object)",
  ],
  [
    { pingInterval: null, pingTimeout: 5 },
    "Expected no `pingTimeout` beside `pingInterval: null`, which sends no ping that could time out, got 5 (number)",
  ],
];

const CONNECT: readonly Row[] = [
  [{ signal: 5 }, "Expected `signal` to be an AbortSignal, got 5 (number)"],
  [{ signal: {} }, "Expected `signal` to be an AbortSignal, got an object (Object)"],
];

const ORIGINS = '"same-origin", "any" or a list of strings and RegExps';
const TOKENS = "a list of tokens (RFC 6455 section 4.1)";
const SERVE: readonly Row[] = [
  [{ port: -1 }, "Expected `port` to be a number from 0 to 65535, got -1 (number)"],
  [{ port: 65536 }, "Expected `port` to be a number from 0 to 65535, got 65536 (number)"],
  [{ port: "80" }, 'Expected `port` to be a number from 0 to 65535, got "80" (string)'],
  [{ origins: "all" }, `Expected \`origins\` to be ${ORIGINS}, got "all" (string)`],
  [{ origins: ["https://a", 5] }, `Expected \`origins\` to be ${ORIGINS}, got an object (Array)`],
  [{ subprotocols: "chat" }, `Expected \`subprotocols\` to be ${TOKENS}, got "chat" (string)`],
  [{ subprotocols: ["a b"] }, `Expected \`subprotocols\` to be ${TOKENS}, got an object (Array)`],
  [{ selectSubprotocol: "chat" }, 'Expected `selectSubprotocol` to be a function, got "chat" (string)'],
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
        name: "InvalidArgument",
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
          name: "InvalidArgument",
          code: "ERR_HOLDFAST_INVALID_ARGUMENT",
          message,
        },
      );
    });
  }

  test("A8: serve() refuses a handler that is none", async () => {
    // @ts-expect-error Callers without types may pass anything.
    await assert.rejects(serve(undefined), { message: "Expected `handler` to be a function, got undefined" });
  });

  test("A8: Server.close() refuses what cannot be sent or waited for, and closes nothing", async () => {
    const holdfast = await serve(() => undefined, { host: "127.0.0.1" });
    await assert.rejects(holdfast.close({ code: 1005 }), { name: "InvalidArgument" });
    await assert.rejects(holdfast.close({ reason: "x".repeat(124) }), { name: "InvalidArgument" });
    await assert.rejects(holdfast.close({ timeout: -1 }), { name: "InvalidArgument" });
    const connection = await connect(holdfast.url);
    assert.equal(connection.state, "open");
    const closed = connection.closed;
    await holdfast.close();
    assert.equal((await closed).code, 1001);
  });

  test("A8: undefined stands for the default, null switches off, and each good value is taken", async () => {
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
      { pingInterval: null, pingTimeout: null },
      { pingTimeout: null, liveness: "traffic", autoPong: false, compression: false },
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
