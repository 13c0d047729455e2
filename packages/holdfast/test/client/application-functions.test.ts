// Application callbacks and objects that fail while a connection opens.

import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { Duplex } from "node:stream";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { connect, HoldfastError, serve, type ConnectOptions, type Server } from "holdfast";
import { activeResources, assertNothingLeft, type ResourceCounts } from "holdfast-testkit";

/** `String()` of it throws. */
const BARE: unknown = Object.create(null);

function raise(thrown: unknown): never {
  throw thrown;
}

describe("While opening", () => {
  let resources: ResourceCounts;
  let server: Server;

  before(() => {
    assert.throws(() => String(BARE));
  });
  beforeEach(async () => {
    resources = activeResources();
    server = await serve(() => undefined, { host: "127.0.0.1" });
  });
  afterEach(async () => {
    await server.close();
    await assertNothingLeft(resources);
  });

  const socket = () => connectTcp({ host: "127.0.0.1", port: server.port });
  const duplex = (write: (callback: (error?: Error) => void) => void) =>
    new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, callback) => write(callback),
    });
  const destroyedWith = (error: unknown) => {
    const stream = socket();
    setImmediate(() => stream.destroy(error as Error)); // Streams take anything.
    return stream;
  };

  const streams: readonly (readonly [what: string, create: () => unknown, message: RegExp])[] = [
    ["throws", () => raise(new Error("boom")), /: boom\.$/],
    ["throws what has no text", () => raise(BARE), /: a value that cannot be converted to a string\.$/],
    ["rejects with a string", () => Promise.reject(new Error("boom")), /: boom\.$/],
    [
      "returns a thenable that throws",
      () => ({ then: () => raise(BARE) }),
      /: a value that cannot be converted to a string\.$/,
    ],
    [
      "returns a thenable that cannot be read",
      () => ({
        get then() {
          return raise(BARE);
        },
      }),
      /: a value that cannot be converted to a string\.$/,
    ],
    ["returns undefined", () => undefined, /to be a Duplex stream, got undefined\.$/],
    ["returns a string", () => "stream", /to be a Duplex stream, got "stream"/],
    ["returns a stream that fails with a string", () => destroyedWith("boom"), /: boom\.$/],
    [
      "returns a stream that fails with what has no text",
      () => destroyedWith(BARE),
      /: a value that cannot be converted to a string\.$/,
    ],
    ["returns a stream whose writing throws", () => duplex(() => raise(new Error("boom"))), /: boom\.$/],
    [
      "returns a stream whose writing fails",
      () => duplex((done) => done(BARE as Error)),
      /: a value that cannot be converted to a string\.$/,
    ],
  ];
  for (const [what, create, message] of streams) {
    test(`B12: a createConnection that ${what}: a clear error at once`, async () => {
      const createConnection = create as () => Duplex;
      const error: unknown = await connect(server.url, { createConnection, openTimeout: null }).catch(
        (reason: unknown) => reason,
      );
      assert(error instanceof HoldfastError, String(error));
      assert.match(error.message, message);
    });
  }

  test("B12: a createConnection that hangs ends at openTimeout, and does not delay other connections over HTTP/2", async () => {
    await using multiplexing = await serve(() => undefined, { host: "127.0.0.1", http2: true });
    let calls = 0;
    const options: ConnectOptions = {
      http2: true,
      createConnection: () =>
        ++calls === 1
          ? new Promise(() => undefined)
          : connectTcp({ host: "127.0.0.1", port: multiplexing.port }),
    };
    await assert.rejects(connect(multiplexing.url, { ...options, openTimeout: 100 }), {
      name: "OpenTimeoutError",
    });
    const connection = await connect(multiplexing.url, options);
    await connection.close();
    await multiplexing.close();
  });

  const unreadable: readonly (readonly [what: string, options: () => unknown, message?: string])[] = [
    [
      "headers with a getter",
      () => ({
        headers: {
          get a() {
            return raise(BARE);
          },
        },
      }),
    ],
    [
      "headers from an iterator",
      () => ({
        headers: {
          [Symbol.iterator]: () => raise(BARE),
        },
      }),
      "Expected `headers` to be an iterable that can be read, got an error from it.",
    ],
    [
      "a proxy with a getter",
      () => ({
        proxy: {
          get url() {
            return raise(BARE);
          },
        },
      }),
    ],
  ];
  const unreadableOptions =
    "Expected a URL and options that can be read, got an error: a value that cannot be converted to a string.";
  for (const [what, options, message = unreadableOptions] of unreadable) {
    test(`B12: ${what} that throws: InvalidArgumentError`, async () => {
      await assert.rejects(connect(server.url, options() as ConnectOptions), {
        name: "InvalidArgumentError",
        message,
      });
    });
  }

  test("B12: a URL whose toString throws: InvalidArgumentError", async () => {
    await assert.rejects(connect({ toString: () => raise(BARE) } as unknown as string), {
      name: "InvalidArgumentError",
    });
  });
});
