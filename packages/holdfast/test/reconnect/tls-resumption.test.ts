// TLS sessions resumed by later attempts, against real servers.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server, type ServerOptions } from "node:https";
import {
  connect as connectTcp,
  createServer as createTcpServer,
  type AddressInfo,
  type Socket,
} from "node:net";
import { checkServerIdentity, type TLSSocket } from "node:tls";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { attach, Client, connectPersistent, persist, reconnect, type ConnectOptions } from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  eventually,
  testCertificates,
  withTimeout,
  type ResourceCounts,
  type TestCertificates,
} from "holdfast-testkit";
import { open } from "../../build/client/connect.js";
import { TlsSessions } from "../../build/client/dial/tls-sessions.js";

const FAST = { firstDelay: 5, maxDelay: 10, openTimeout: 10_000, proxy: null };
const DAY = 86_400_000;

/** A WebSocket server over TLS, and a proxy that tunnels. It notes of each handshake whether it resumed a session. */
class SecureServer implements AsyncDisposable {
  readonly server: Server;
  readonly resumed: boolean[] = [];
  readonly #sockets = new Set<TLSSocket>();

  constructor(options: ServerOptions) {
    this.server = createServer(options);
    this.server.on("secureConnection", (socket: TLSSocket) => {
      this.resumed.push(socket.isSessionReused());
      this.#sockets.add(socket);
      socket.on("error", () => undefined).once("close", () => this.#sockets.delete(socket));
    });
    this.server.on("connect", ({ url }, socket: Socket) => {
      const [host, port] = (url ?? "").split(":");
      const upstream = connectTcp(Number(port), host, () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
      upstream.on("error", () => undefined).once("close", () => socket.destroy());
      socket.once("close", () => upstream.destroy());
      socket.pipe(upstream).pipe(socket);
    });
    attach(this.server, (connection) => connection.forEach(() => undefined));
  }

  static async start(options: ServerOptions, port = 0): Promise<SecureServer> {
    const server = new SecureServer(options);
    server.server.listen(port, "127.0.0.1");
    await once(server.server, "listening");
    return server;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `wss://localhost:${this.port}`;
  }

  /** Ends all connections without a Close. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
    this.server.close();
    await once(this.server, "close");
  }
}

describe("TLS sessions of a client that reconnects", () => {
  let certificates: TestCertificates;
  let resources: ResourceCounts;

  before(async () => {
    certificates = await testCertificates();
  });
  beforeEach(() => {
    resources = activeResources();
  });
  afterEach(() => assertNothingLeft(resources));

  const start = (options: ServerOptions = {}, port = 0) =>
    SecureServer.start({ ...certificates.server, ...options }, port);

  /** Connects `count` times in a row by `connectPersistent()`; each connection but the last is cut by `onOpen`. */
  async function openTimes(
    count: number,
    url: string,
    onOpen: (opened: number) => void,
    options: ConnectOptions = {},
  ): Promise<void> {
    let opened = 0;
    const link = connectPersistent(url, {
      tls: { ca: certificates.ca },
      ...FAST,
      ...options,
      onOpen: async (connection) => {
        await connection.ping(); // Its pong comes after the tickets.
        if (++opened < count) onOpen(opened);
      },
    });
    await eventually(() => opened === count, `${count} connections`, 30_000);
    link.terminate();
    await link.closed;
  }

  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    test(`F10: ${version}: each attempt after the first resumes the session`, async () => {
      await using server = await start({ minVersion: version, maxVersion: version });
      await openTimes(4, server.url, () => server.drop());
      assert.deepEqual(server.resumed, [false, true, true, true]);
    });

    test(`F10: ${version}: with new ticket keys, and with a new certificate, the full handshake takes place`, async () => {
      const version12 = { minVersion: version, maxVersion: version } as const;
      await using server = await start(version12);
      await openTimes(3, server.url, (opened) => {
        if (opened === 1) server.server.setTicketKeys(Buffer.alloc(48, 7));
        server.drop();
      });
      assert.deepEqual(server.resumed, [false, false, true]);
    });
  }

  test("F10: reconnect() and persist() resume the session as well", async () => {
    await using server = await start();
    const options = { ...FAST, tls: { ca: certificates.ca } };
    let opened = 0;
    for await (const connection of reconnect(server.url, options)) {
      await connection.ping(); // Its pong comes after the tickets.
      if (++opened === 2) break;
      server.drop();
      await connection.closed;
    }
    const { firstDelay, maxDelay, ...connectOptions } = options;
    for await (const event of persist(new Client(server.url, connectOptions), { firstDelay, maxDelay })) {
      if (event.type !== "ready") continue;
      await event.connection.ping();
      if (++opened === 4) break;
      server.drop();
    }
    assert.deepEqual(server.resumed, [false, true, false, true]);
  });

  test("F10: connect() resumes nothing: each call stands for itself", async () => {
    await using server = await start();
    const sessions = null;
    for (let call = 0; call < 2; call++) await openOnce(server, { ca: certificates.ca }, sessions);
    assert.deepEqual(server.resumed, [false, false]);
  });

  test("F10: the connection to an https: proxy resumes its own session, and the tunnelled one its own", async () => {
    await using proxy = await start();
    await using server = await start();
    const tls = { ca: certificates.ca };
    await openTimes(2, server.url, () => server.drop(), {
      proxy: { url: `https://localhost:${proxy.port}`, tls },
    });
    assert.deepEqual(
      [proxy.resumed, server.resumed],
      [
        [false, true],
        [false, true],
      ],
    );
  });

  test("F10: a server that returns with another certificate is checked in full, and rejected if it is not valid", async () => {
    const first = await start();
    const { port } = first;
    let pongs = 0;
    const link = connectPersistent(first.url, {
      tls: { ca: certificates.ca },
      ...FAST,
      onOpen: async (connection) => void (pongs += await connection.ping().then(() => 1)),
    });
    const causes: string[] = [];
    link.on("disconnected", ({ info }) => causes.push(info.cause));
    await eventually(() => pongs === 1, "a connection and its tickets");
    await first[Symbol.asyncDispose]();
    await using impostor = await start(certificates.wrongHost, port);
    await eventually(() => causes.includes("tls"), "the rejection", 30_000);
    assert.notEqual(link.status.state, "open");
    assert.ok(impostor.resumed.every((isResumed) => !isResumed));
    link.terminate();
    await link.closed;
  });

  test("F10: a handshake that fails is not tried again with the same session", async () => {
    await using server = await start();
    let connections = 0;
    const sockets = new Set<Socket>();
    const front = createTcpServer((socket) => {
      sockets.add(socket.on("error", () => undefined));
      if (++connections === 2) {
        socket.once("data", () => socket.destroy());
        return;
      }
      const upstream = connectTcp(server.port, "127.0.0.1");
      upstream.on("error", () => undefined).once("close", () => socket.destroy());
      socket.once("close", () => upstream.destroy());
      socket.pipe(upstream).pipe(socket);
    }).listen(0, "127.0.0.1");
    await once(front, "listening");
    await openTimes(3, `wss://localhost:${(front.address() as AddressInfo).port}`, () => server.drop());
    // The second attempt does not reach the server.
    assert.deepEqual([server.resumed, connections], [[false, false, true], 4]);
    front.close();
    for (const socket of sockets) socket.destroy();
    await once(front, "close");
  });

  test("F10: `checkServerIdentity` judges the certificate of each attempt, resumed or not, and its refusal ends resuming", async () => {
    await using server = await start();
    const seen: string[] = [];
    let isTrusted = true;
    let pongs = 0;
    const link = connectPersistent(server.url, {
      ...FAST,
      onOpen: async (connection) => void (pongs += await connection.ping().then(() => 1)),
      tls: {
        ca: certificates.ca,
        checkServerIdentity: (name, certificate) => {
          seen.push(`${name} ${certificate.fingerprint256}`);
          return isTrusted ? checkServerIdentity(name, certificate) : new Error("revoked");
        },
      },
    });
    const causes: string[] = [];
    link.on("disconnected", ({ info }) => causes.push(info.cause));
    await eventually(() => pongs === 1, "a connection and its tickets");
    server.drop();
    await eventually(() => pongs === 2, "another");
    assert.deepEqual([server.resumed, seen.length, new Set(seen).size], [[false, true], 2, 1]);
    isTrusted = false;
    server.drop();
    await eventually(() => causes.includes("tls"), "the refusal", 30_000);
    assert.deepEqual(server.resumed.slice(0, 2), [false, true]);
    assert.ok(server.resumed.slice(2).every((isResumed) => !isResumed));
    link.terminate();
    await link.closed;
  });

  describe("with the same sessions and other options", () => {
    const sameCheck = (name: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
      checkServerIdentity(name, certificate);
    type Tls = NonNullable<ConnectOptions["tls"]>;
    const cases: readonly (readonly [what: string, change: (tls: Tls) => Tls, resumes: boolean])[] = [
      ["the same values", (tls) => ({ ...tls }), true],
      ["another `ca`", (tls) => ({ ...tls, ca: [certificates.ca, certificates.untrusted.cert] }), false],
      ["`rejectUnauthorized: false`", (tls) => ({ ...tls, rejectUnauthorized: false }), false],
      ["another `servername`", (tls) => ({ ...tls, servername: "127.0.0.1" }), false],
      ["another `checkServerIdentity`", (tls) => ({ ...tls, checkServerIdentity: () => undefined }), false],
      ["a client's certificate", (tls) => ({ ...tls, ...certificates.client }), false],
    ];
    for (const [what, change, resumes] of cases) {
      test(`F10: ${what}: ${resumes ? "resumes" : "makes the full handshake"}`, async () => {
        await using server = await start();
        const sessions = new TlsSessions(() => Date.now());
        const tls = { ca: certificates.ca, checkServerIdentity: sameCheck };
        await openOnce(server, tls, sessions);
        await openOnce(server, change(tls), sessions);
        assert.deepEqual(server.resumed, [false, resumes]);
      });
    }

    test("F10: a session of a certificate that was not valid is not kept, even if the options accept it", async () => {
      await using server = await start(certificates.untrusted);
      const sessions = new TlsSessions(() => Date.now());
      for (let call = 0; call < 2; call++) await openOnce(server, { rejectUnauthorized: false }, sessions);
      assert.deepEqual(server.resumed, [false, false]);
    });

    test("F10: a session is not resumed once its certificate has expired", async () => {
      await using server = await start();
      let now = Date.now();
      const sessions = new TlsSessions(() => now);
      const tls = { ca: certificates.ca };
      await openOnce(server, tls, sessions);
      now += 29 * DAY;
      await openOnce(server, tls, sessions);
      now += 2 * DAY;
      await openOnce(server, tls, sessions);
      assert.deepEqual(server.resumed, [false, true, false]);
    });
  });
});

/** Opens a connection, and waits until the server's tickets have arrived. */
async function openOnce(
  server: SecureServer,
  tls: NonNullable<ConnectOptions["tls"]>,
  sessions: TlsSessions | null,
): Promise<void> {
  const connection = await open(server.url, { tls, proxy: null }, null, sessions);
  await withTimeout(connection.ping(), 30_000, "the pong, after the tickets");
  await connection.close();
}
