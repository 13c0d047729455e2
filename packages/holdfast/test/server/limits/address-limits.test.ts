import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { connect as connectTcp, type Socket } from "node:net";
import { afterEach, describe, test } from "node:test";
import {
  connect,
  InvalidArgumentError,
  serve,
  type Connection,
  type DiagnosticsMessages,
  type ServeOptions,
  type Server,
} from "../../../build/index.js";
import { eventually, testCertificates } from "holdfast-testkit";
import { recordingLogger } from "../recording-logger.js";

type Limited = DiagnosticsMessages["holdfast:server:limited"];

describe("Limits per address", () => {
  let server: Server | null = null;
  const { logger, lines } = recordingLogger();
  afterEach(async () => {
    await server?.close({ timeout: 0 });
    server = null;
    lines.length = 0;
  });
  const start = async (options: ServeOptions): Promise<Server> =>
    (server = await serve(() => undefined, { host: "127.0.0.1", logger, ...options }));

  const opened: Connection[] = [];
  /** The status of the response to an upgrade, and its Retry-After. */
  const open = (url: string, address?: string) =>
    connect(url, address === undefined ? {} : { headers: { "X-Forwarded-For": address } }).then(
      (connection) => {
        opened.push(connection);
        return 101;
      },
      (error: unknown) => {
        const { status, retryAfter } = error as { status: number; retryAfter: number };
        return [status, retryAfter];
      },
    );

  test("G11: more connections of one address than connectionsPerAddress get 429 with Retry-After, until one ends", async () => {
    const published: Limited[] = [];
    const onLimited = (message: unknown): void => void published.push(message as Limited);
    subscribe("holdfast:server:limited", onLimited);
    const { url } = await start({ limits: { connectionsPerAddress: 2 } });
    const refused = [429, 5_000];
    assert.deepEqual(await Promise.all([open(url), open(url)]), [101, 101]);
    assert.deepEqual([await open(url), await open(url), await open(url)], [refused, refused, refused]);
    unsubscribe("holdfast:server:limited", onLimited);

    // Once in the log, and each time on the diagnostics channel.
    assert.deepEqual(
      lines.map(({ level, message, details }) => [level, message, (details as { reason: string }).reason]),
      [
        [
          "warn",
          "limit exceeded",
          "Expected at most 2 connections from one address, got another one. If this is a proxy, set `trustProxy`.",
        ],
      ],
    );
    assert.deepEqual(
      published.map(({ limit, remoteAddress, connection }) => [limit, remoteAddress?.address, connection]),
      Array.from({ length: 3 }, () => ["connectionsPerAddress", "127.0.0.1", null]),
    );
    await opened.pop()?.close();
    await eventually(() => server?.connections.size === 1, "the end at the server");
    assert.equal(await open(url), 101);
  });

  test("G11: with trustProxy each client has its own count; an IPv6 /64 is one client, and so is a mapped IPv4 address", async () => {
    const { url } = await start({ limits: { connectionsPerAddress: 1 }, trustProxy: 1 });
    const refused = [429, 5_000];
    const table: readonly (readonly [address: string, outcome: unknown])[] = [
      ["198.51.100.1", 101],
      ["198.51.100.1:4711", refused],
      ["::ffff:198.51.100.1", refused],
      ["[::ffff:c633:6401]:80", refused],
      ["198.51.100.2", 101],
      ["2001:db8:0:1::1", 101],
      ["2001:db8:0:1:ffff:ffff:ffff:ffff", refused],
      ["2001:db8:0:2::1", 101],
      ["203.0.113.1, 198.51.100.3", 101],
      ["203.0.113.2, 198.51.100.3", refused], // The entries before it are forged.
    ];
    for (const [address, outcome] of table) assert.deepEqual(await open(url, address), outcome, address);
    assert.match((lines[0]?.details as { reason: string }).reason, /got another one\.$/);
  });

  test("G11 G3: connections that are granted in one turn are each counted against the limits", async () => {
    for (const [options, refused] of [
      [{ limits: { connectionsPerAddress: 3 } }, [429, 5_000]],
      [{ maxConnections: 3 }, [503, 5_000]],
    ] as const) {
      let count = 0;
      let release: () => void = () => undefined;
      const together = new Promise<undefined>((resolve) => (release = () => resolve(undefined)));
      const { url } = await start({
        ...options,
        onRequest: () => {
          if (++count === 8) release();
          return together;
        },
      });
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => open(url)));
      assert.deepEqual(
        outcomes.filter((outcome) => outcome !== 101),
        Array.from({ length: 5 }, () => refused),
      );
      await server?.close({ timeout: 0 });
    }
  });

  test("G11: more upgrades a second than upgradesPerSecond get 429 with Retry-After", async () => {
    const { url } = await start({ limits: { upgradesPerSecond: 0.05 }, trustProxy: 1 });
    assert.equal(await open(url, "198.51.100.1"), 101);
    const [status, retryAfter] = (await open(url, "198.51.100.1")) as [number, number];
    assert.equal(status, 429);
    assert(retryAfter > 10_000 && retryAfter <= 20_000, `${retryAfter}`);
    assert.equal(await open(url, "198.51.100.2"), 101);
    assert.deepEqual(
      lines.map(({ message, details }) => [message, (details as { limit: string }).limit]),
      [["limit exceeded", "upgradesPerSecond"]],
    );
  });

  for (const secure of [false, true]) {
    test(`G11: sockets without a request are limited, too${secure ? ", within the TLS handshake as well" : ""}`, async () => {
      const certificates = await testCertificates();
      const { port, url } = await start({
        limits: { connectionsPerAddress: 2 },
        openTimeout: 3_000,
        ...(secure ? { tls: certificates.server } : {}),
      });
      const sockets: Socket[] = [];
      let ended = 0;
      for (let count = 0; count < 20; count++) {
        const socket = connectTcp({ port, host: "127.0.0.1" });
        socket
          .on("error", () => undefined)
          .on("close", () => ended++)
          .resume();
        sockets.push(socket);
      }
      await eventually(() => ended === 8, "all but twelve to be dropped");
      for (const socket of sockets) socket.destroy();
      await eventually(() => ended === 20, "the end of all");
      const connection = await eventuallyOpens(() =>
        connect(url, secure ? { tls: { ca: certificates.ca } } : {}),
      );
      await connection.close();
    });
  }

  test("G11: without `limits` nothing is limited", async () => {
    const { url, connections } = await start({});
    await Promise.all(Array.from({ length: 60 }, () => open(url)));
    assert.equal(connections.size, 60);
  });

  test("A8: invalid limits are rejected", async () => {
    for (const [limits, message] of [
      [5, "Expected `limits` to be true or an object of limits, or null, got 5 (number)."],
      [[], "Expected `limits` to be true or an object of limits, or null, got an array."],
      [
        { messagesPerSeconds: 5 },
        "Expected only options of `limits`, got `messagesPerSeconds`. Did you mean `messagesPerSecond`?",
      ],
      [
        { connectionsPerAddress: 0 },
        "Expected `limits.connectionsPerAddress` to be a positive whole number or null, got 0 (number).",
      ],
      [
        { upgradesPerSecond: -1 },
        "Expected `limits.upgradesPerSecond` to be a positive number or null, got -1 (number).",
      ],
      [
        { messagesPerSecond: 0.5 },
        "Expected `limits.messagesPerSecond` to be a number of at least 1 or null, got 0.5 (number).",
      ],
      [
        { bytesPerSecond: 1000 },
        "Expected `limits.bytesPerSecond` to be a number of at least 16384 or null, got 1000 (number).",
      ],
      [
        { bytesPerSecond: Infinity },
        "Expected `limits.bytesPerSecond` to be a number of at least 16384 or null, got Infinity (number).",
      ],
      [{ onExceeded: "drop" }, 'Expected `limits.onExceeded` to be "pause" or "close", got "drop" (string).'],
    ] as const) {
      await assert.rejects(
        serve(() => undefined, { limits } as unknown as ServeOptions),
        (error) => error instanceof InvalidArgumentError && error.message === message,
        message,
      );
    }
  });
});

/** The server may not have noticed yet that the others have disconnected. */
async function eventuallyOpens(open: () => Promise<Connection>): Promise<Connection> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open();
    } catch (error) {
      if (attempt === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
