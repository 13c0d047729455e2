// Each option by name: valid values, which must compile, and an invalid one, which must not. Plain JavaScript
// gets an error that names the option. An option without a line here does not compile.

import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { describe, test } from "node:test";
import {
  broadcast,
  Client,
  connect,
  connectInWorker,
  connectPersistent,
  InvalidArgumentError,
  InvalidHeaderError,
  memoryStore,
  persist,
  serve,
  type AttachOptions,
  type BroadcastOptions,
  type ClientOptions,
  type CompressionOptions,
  type ConnectInWorkerOptions,
  type ConnectOptions,
  type ConnectPersistentOptions,
  type LimitOptions,
  type PersistentOptions,
  type PersistOptions,
  type ServeOptions,
  type ServerCloseOptions,
  type ServerSessionOptions,
  type SessionOptions,
} from "holdfast";

/** Valid values for each option. */
type Fitting<Options> = { readonly [Name in keyof Required<Options>]: readonly Options[Name][] };

const url = "ws://127.0.0.1:9/";
const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const { signal } = new AbortController();

const connection = {
  pingInterval: [20_000, null],
  pingTimeout: [20_000, null],
  liveness: ["pong", "traffic"],
  detection: ["fixed", "adaptive", { floor: 3_000 }, { maxPeriod: 20_000 }],
  closeTimeout: [10_000, null],
  autoPong: [true],
  maxMessageSize: [1_024, null],
  text: ["string", "bytes"],
  maxQueue: [16, { messages: 16, bytes: null }, null],
  writeLimit: [65_536, null],
  compression: [true, { level: 6, threshold: 256, serverMaxWindowBits: 12 }],
  logger: [logger, console, null],
} as const;

const ofConnect: Fitting<ConnectOptions> = {
  ...connection,
  openTimeout: [10_000, null],
  headers: [{ Authorization: "Bearer 1" }, [["X-A", "1"]], new Headers()],
  subprotocols: [["chat"], new Set(["chat"]), ["chat"].values()],
  requireSubprotocol: [true],
  linkProtocol: [true, "required"],
  origin: ["https://example.com", null],
  maxRedirects: [10, null],
  redirectHeaders: [["X-Region"]],
  http2: [true],
  maxHandshakeSize: [16_384, null],
  signal: [signal, null],
  proxy: ["http://proxy:3128", new URL("socks5://proxy"), { url: "http://proxy" }, null],
  socketPath: ["/run/chat.sock"],
  stream: [new Duplex()],
  createConnection: [() => new Duplex()],
  tls: [{ rejectUnauthorized: true }],
  localAddress: ["127.0.0.1"],
  family: [0, 4, 6],
  lookup: [(_hostname, _options, callback) => callback(null, "127.0.0.1", 4)],
  autoSelectFamily: [true],
};

const notOfConnect: readonly ConnectOptions[] = [
  // @ts-expect-error: expected a duration is a number
  { pingInterval: "20s" },
  // @ts-expect-error: expected a duration is a number
  { pingTimeout: "20s" },
  // @ts-expect-error: expected one of two words
  { liveness: "ping" },
  // @ts-expect-error: expected one of two words or limits
  { detection: "phi" },
  // @ts-expect-error: expected a duration is a number
  { closeTimeout: "10s" },
  // @ts-expect-error: expected true or false
  { autoPong: "yes" },
  // @ts-expect-error: expected a size is a number
  { maxMessageSize: "1MiB" },
  // @ts-expect-error: expected one of two words
  { text: "buffer" },
  // @ts-expect-error: expected a number or both limits
  { maxQueue: "16" },
  // @ts-expect-error: expected a size is a number
  { writeLimit: "64KiB" },
  // @ts-expect-error: expected true or an object
  { compression: "deflate" },
  // @ts-expect-error: expected an object with four functions
  { logger: { log: () => {} } },
  // @ts-expect-error: expected a duration is a number
  { openTimeout: "10s" },
  // @ts-expect-error: expected names and values
  { headers: 1 },
  // @ts-expect-error: expected a list
  { subprotocols: "chat" },
  // @ts-expect-error: expected true or false
  { requireSubprotocol: "chat" },
  // @ts-expect-error: expected true, false or "required"
  { linkProtocol: "yes" },
  // @ts-expect-error: expected a string
  { origin: 1 },
  // @ts-expect-error: expected a count
  { maxRedirects: "many" },
  // @ts-expect-error: expected a list of names
  { redirectHeaders: "X-Region" },
  // @ts-expect-error: expected true or false
  { http2: "yes" },
  // @ts-expect-error: expected a size is a number
  { maxHandshakeSize: "16KiB" },
  // @ts-expect-error: expected the signal, and not its controller
  { signal: new AbortController() },
  // @ts-expect-error: expected a URL
  { proxy: 3128 },
  // @ts-expect-error: expected a path
  { socketPath: 1 },
  // @ts-expect-error: expected a Duplex
  { stream: {} },
  // @ts-expect-error: expected a function
  { createConnection: new Duplex() },
  // @ts-expect-error: expected options of node:tls
  { tls: true },
  // @ts-expect-error: expected an address
  { localAddress: 1 },
  // @ts-expect-error: expected 4 or 6
  { family: 5 },
  // @ts-expect-error: expected a function
  { lookup: "dns" },
  // @ts-expect-error: expected true or false
  { autoSelectFamily: "yes" },
];

const ofServe: Fitting<ServeOptions> = {
  ...connection,
  openTimeout: [10_000, null],
  origins: ["same-origin", "any", ["https://example.com", /^https:/]],
  onRequest: [() => undefined, async () => new Response("ok"), ({ url: asked }) => new Response(asked)],
  subprotocols: [["chat"]],
  selectSubprotocol: [(offered) => offered[0] ?? null],
  linkProtocol: [true],
  requireSubprotocol: [true],
  maxConnections: [10, null],
  port: [0],
  host: ["127.0.0.1"],
  path: ["/run/chat.sock"],
  reusePort: [true],
  tls: [{ key: "", cert: "" }],
  http2: [true],
  maxHandshakeSize: [16_384, null],
  backlog: [128],
  signal: [signal, null],
  hosts: [["example.com", /^[a-z]+\.example\.com$/], null],
  trustProxy: [1, ["10.0.0.0/8", "loopback"], (address, hop) => hop === 0 && address === "::1", null],
  sessions: [
    true,
    {
      retain: 60_000,
      maxLifetime: null,
      memory: 1024,
      owner: async ({ headers }) => headers.get("Authorization"),
      acknowledge: "handled",
      durability: "shutdown",
      store: memoryStore(),
    },
    null,
  ],
  limits: [
    true,
    {
      connectionsPerAddress: 10,
      upgradesPerSecond: 5,
      messagesPerSecond: null,
      bytesPerSecond: 65_536,
      onExceeded: "close",
    },
    null,
  ],
};

const notOfServe: readonly ServeOptions[] = [
  // @ts-expect-error: expected the signal, and not its controller
  { signal: new AbortController() },
  // @ts-expect-error: expected one of three words
  { sessions: { durability: "always" } },
  // @ts-expect-error: expected a number
  { backlog: "many" },
  // @ts-expect-error: expected a list
  { hosts: "example.com" },
  // @ts-expect-error: expected a number, a list or a function
  { trustProxy: true },
  // @ts-expect-error: expected a number
  { limits: { messagesPerSecond: "many" } },
  // @ts-expect-error: expected a duration is a number
  { pingInterval: "20s" },
  // @ts-expect-error: expected a duration is a number
  { pingTimeout: "20s" },
  // @ts-expect-error: expected one of two words
  { liveness: "ping" },
  // @ts-expect-error: expected one of two words or limits
  { detection: "phi" },
  // @ts-expect-error: expected a duration is a number
  { closeTimeout: "10s" },
  // @ts-expect-error: expected true or false
  { autoPong: "yes" },
  // @ts-expect-error: expected a size is a number
  { maxMessageSize: "1MiB" },
  // @ts-expect-error: expected one of two words
  { text: "buffer" },
  // @ts-expect-error: expected a number or both limits
  { maxQueue: "16" },
  // @ts-expect-error: expected a size is a number
  { writeLimit: "64KiB" },
  // @ts-expect-error: expected true or an object
  { compression: "deflate" },
  // @ts-expect-error: expected an object with four functions
  { logger: { log: () => {} } },
  // @ts-expect-error: expected a duration is a number
  { openTimeout: "10s" },
  // @ts-expect-error: expected one of two words, or a list
  { origins: "https://example.com" },
  // @ts-expect-error: expected a function
  { onRequest: new Response("ok") },
  // @ts-expect-error: expected a list
  { subprotocols: "chat" },
  // @ts-expect-error: expected a function
  { selectSubprotocol: "chat" },
  // @ts-expect-error: expected true or false
  { linkProtocol: "required" },
  // @ts-expect-error: expected true or false
  { requireSubprotocol: "chat" },
  // @ts-expect-error: expected a count
  { maxConnections: "many" },
  // @ts-expect-error: expected a number
  { port: "http" },
  // @ts-expect-error: expected an address
  { host: 1 },
  // @ts-expect-error: expected a path
  { path: 1 },
  // @ts-expect-error: expected true or false
  { reusePort: "yes" },
  // @ts-expect-error: expected options of tls.createServer
  { tls: true },
  // @ts-expect-error: expected true or false
  { http2: "yes" },
  // @ts-expect-error: expected a size is a number
  { maxHandshakeSize: "16KiB" },
];

const ofPersist: Fitting<PersistOptions> = {
  minDelay: [0],
  firstDelay: [5_000],
  maxDelay: [30_000],
  factor: [1.618],
  stableAfter: [5_000],
  maxRetryAfter: [300_000, null],
  retryable: [() => true, (error, byDefault) => error.name === "InvalidStatusError" || byDefault],
  signal: [signal, null],
};

const notOfPersist: readonly PersistOptions[] = [
  // @ts-expect-error: expected a duration is a number
  { minDelay: "0" },
  // @ts-expect-error: expected a duration, and never null
  { firstDelay: null },
  // @ts-expect-error: expected a duration, and never null
  { maxDelay: null },
  // @ts-expect-error: expected a number
  { factor: "2" },
  // @ts-expect-error: expected a duration is a number
  { stableAfter: "5s" },
  // @ts-expect-error: expected a duration is a number
  { maxRetryAfter: "5m" },
  // @ts-expect-error: expected a function
  { retryable: true },
  // @ts-expect-error: expected the signal, and not its controller
  { signal: new AbortController() },
];

const ofPersistent: Fitting<PersistentOptions> = {
  offline: ["queue", "reject"],
  queue: [16, { messages: null, bytes: 1_024 }, null],
  overflow: ["drop-oldest", "fail"],
  timeToLive: [60_000, null],
  onOpen: [(opened) => opened.send("hello"), async (opened, { isFirst }) => [opened, isFirst]],
  probeTimeout: [5_000],
  session: [
    true,
    {
      window: { messages: 16, bytes: 1024 },
      ackDelay: 50,
      keep: { load: () => null, save: () => undefined, clear: () => undefined, watch: () => () => undefined },
    },
    null,
  ],
};

const notOfPersistent: readonly ConnectPersistentOptions[] = [
  // @ts-expect-error: expected one of two words
  { offline: "drop" },
  // @ts-expect-error: expected a number or both limits
  { queue: "16" },
  // @ts-expect-error: expected true or options
  { session: "yes" },
  // @ts-expect-error: expected one of two words
  { overflow: "drop-newest" },
  // @ts-expect-error: expected a duration is a number
  { timeToLive: "1m" },
  // @ts-expect-error: expected a function
  { onOpen: "hello" },
  // @ts-expect-error: expected a duration is a number
  { probeTimeout: "5s" },
];

const ofBroadcast: Fitting<BroadcastOptions> = {
  except: [new Set(), null],
  slow: ["buffer", "close", "skip"],
  limit: [1_024, null],
  compress: [false],
};

const notOfBroadcast: readonly BroadcastOptions[] = [
  // @ts-expect-error: expected a connection or a set
  { except: "me" },
  // @ts-expect-error: expected one of three words
  { slow: "drop" },
  // @ts-expect-error: expected a size is a number
  { limit: "1MiB" },
  // @ts-expect-error: expected true or false
  { compress: "yes" },
];

const ofClient: Fitting<Pick<ClientOptions, "pollInterval">> = { pollInterval: [5_000, null] };

const notOfClient: readonly ClientOptions[] = [
  // @ts-expect-error: expected a duration is a number
  { pollInterval: "5s" },
];

/** With `exactOptionalPropertyTypes`, callers may pass undefined only where a type says so. */
type MayBeUndefined<Options> = { readonly [Name in keyof Required<Options>]: undefined } extends Options
  ? true
  : never;
export const mayBeUndefined: readonly true[] = [
  true satisfies MayBeUndefined<AttachOptions>,
  true satisfies MayBeUndefined<BroadcastOptions>,
  true satisfies MayBeUndefined<ClientOptions>,
  true satisfies MayBeUndefined<CompressionOptions>,
  true satisfies MayBeUndefined<ConnectInWorkerOptions>,
  true satisfies MayBeUndefined<ConnectOptions>,
  true satisfies MayBeUndefined<ConnectPersistentOptions>,
  true satisfies MayBeUndefined<LimitOptions>,
  true satisfies MayBeUndefined<PersistOptions>,
  true satisfies MayBeUndefined<ServeOptions>,
  true satisfies MayBeUndefined<ServerCloseOptions>,
  true satisfies MayBeUndefined<ServerSessionOptions>,
  true satisfies MayBeUndefined<SessionOptions>,
];

refuses("connect()", ofConnect, notOfConnect, (options) => connect(url, options));
refuses("serve()", ofServe, notOfServe, async (options) => {
  await (await serve(() => undefined, options)).close();
});
refuses("persist()", ofPersist, notOfPersist, (options) => consume(persist(new Client(url), options)));
refuses("connectPersistent()", ofPersistent, notOfPersistent, (options) =>
  connectPersistent(url, options).close(),
);
refuses("broadcast()", ofBroadcast, notOfBroadcast, (options) => broadcast([], "hello", options));
refuses("Client", ofClient, notOfClient, (options) => new Client(url, options));

async function consume(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events) return;
}

function refuses<Options extends object>(
  what: string,
  fitting: object,
  unfitting: readonly Options[],
  use: (options: Options) => unknown,
): void {
  describe(`A8: ${what} rejects an invalid value by its name`, () => {
    test("every option is listed", () => {
      const names = unfitting.flatMap((options) => Object.keys(options));
      assert.deepEqual(names.sort(), Object.keys(fitting).sort());
    });

    test("undefined stands for the default of each option", async () => {
      const names = Object.keys(fitting);
      const options = Object.fromEntries(names.map((name) => [name, undefined])) as Options;
      const refusal = await Promise.resolve(options)
        .then(use)
        .then(nothing, (error: unknown) => error);
      assert.ok(!isRefusal(refusal), refusal as Error);
    });

    for (const options of unfitting) {
      const [name = ""] = Object.keys(options);
      test(name, async () => {
        await assert.rejects(
          async () => await use(options),
          (error) => isRefusal(error) && error.message.toLowerCase().includes(name.toLowerCase()),
        );
      });
    }
  });
}

function nothing(): undefined {
  return undefined;
}

/** Headers have their own error class, which names `origin` as the header "Origin". */
function isRefusal(error: unknown): error is Error {
  return error instanceof InvalidArgumentError || error instanceof InvalidHeaderError;
}

describe("B5: connectInWorker() accepts the options of connect(), except functions, and a worker", () => {
  const mistakes: ConnectInWorkerOptions[] = [
    // @ts-expect-error: expected a worker thread
    { worker: "worker.js" },
  ];
  const own: Fitting<Pick<ConnectInWorkerOptions, "worker">> = { worker: [undefined] };
  for (const options of mistakes) {
    const [name = ""] = Object.keys(options);
    test(name, async () => {
      assert(name in own);
      await assert.rejects(
        connectInWorker(url, options),
        (error) => isRefusal(error) && error.message.includes(name),
      );
    });
  }
});
