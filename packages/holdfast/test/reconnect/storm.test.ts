// A stress test: five hundred connection failures of every kind, on real sockets, while messages flow both ways.

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connectPersistent, NotSentError, serve, type PersistentConnection, type Server } from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  eventually,
  FaultProxy,
  RawServer,
  withTimeout,
} from "holdfast-testkit";

const CLIENTS = 10;
const CUTS_EACH = 50;

/** Some messages are too long for one write, so the connection may be lost in the middle of them. */
const LONG = 300_000;

/** More than the kernel buffers for a peer that does not read: this message is certainly sent only in part. */
const ENDLESS = 16 * 1024 * 1024;

/** One client, its fault proxy, and the outcomes of its messages. */
class Lane implements AsyncDisposable {
  readonly index: number;
  readonly link: PersistentConnection;
  readonly proxy: FaultProxy;
  readonly outcomes: string[][] = [];
  /** The messages that the server received, by connection. */
  readonly received: number[][] = [];
  /** Connections, and messages on each, as the client read them. */
  readonly read: [number, number][] = [];
  readonly #rejecting: RawServer;
  #isRejected = false;
  #disconnections = 0;
  #isFlowing = true;
  readonly #flow: Promise<void>;

  static async start(index: number, server: Server): Promise<Lane> {
    const proxy = await FaultProxy.start({ target: { port: server.port } });
    const rejecting = await RawServer.start({}, async (peer) => {
      await peer.readHead();
      peer.respond(503);
    });
    return new Lane(index, proxy, rejecting);
  }

  private constructor(index: number, proxy: FaultProxy, rejecting: RawServer) {
    this.index = index;
    this.proxy = proxy;
    this.#rejecting = rejecting;
    this.link = connectPersistent(() => (this.#isRejected ? rejecting.url() : proxy.url("ws", `/${index}`)), {
      firstDelay: 4,
      maxDelay: 10,
      stableAfter: 1,
      openTimeout: 1_000, // A busy machine takes its time for a handshake.
      pingInterval: 30,
      pingTimeout: 500,
      closeTimeout: 2_000,
      queue: { messages: 100, bytes: null },
      overflow: index % 2 === 0 ? "fail" : "drop-oldest",
      offline: index % 5 === 4 ? "reject" : "queue",
      onOpen: index % 3 === 0 ? (connection) => connection.send("login") : undefined,
    });
    this.link.on("disconnected", () => this.#disconnections++);
    void this.link.forEach((message) => {
      const [connection = 0, count = 0] = String(message).split(" ").map(Number);
      this.read.push([connection, count]);
    });
    this.#flow = this.#send();
  }

  /** One failure, and the steps until the client is connected again. */
  async cut(kind: keyof typeof CUTS): Promise<void> {
    await eventually(() => this.link.status.state === "open", "a connection", 60_000);
    await CUTS[kind](this);
  }

  /** Ends the current connection, and every attempt until `end`. */
  async outage(begin: () => unknown, end: () => unknown): Promise<void> {
    await begin();
    this.reset();
    await this.disconnections(2);
    await end();
  }

  reset(): void {
    for (const connection of this.proxy.connections) connection.cut({ kind: "rst" });
  }

  async disconnections(count: number): Promise<void> {
    const before = this.#disconnections;
    await eventually(() => this.#disconnections >= before + count, "the client to notice", 30_000);
  }

  reject(isRejected: boolean): void {
    this.#isRejected = isRejected;
  }

  async stop(): Promise<void> {
    await eventually(() => this.link.status.state === "open", "a connection", 60_000);
    this.#isFlowing = false;
    await this.#flow;
    await this.link.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isFlowing = false;
    this.link.terminate();
    await this.proxy.close();
    await this.#rejecting.close();
  }

  /** Tracks the outcome of a message. */
  send(length: number): void {
    const id = this.outcomes.length;
    const outcomes: string[] = [];
    this.outcomes.push(outcomes);
    this.link.send(`${id} `.padEnd(length), { timeToLive: id % 7 === 0 ? 20 : null }).then(
      () => outcomes.push("sent"),
      (error: unknown) => outcomes.push(error instanceof NotSentError ? error.outcome : String(error)),
    );
  }

  async #send(): Promise<void> {
    while (this.#isFlowing) {
      const id = this.outcomes.length;
      this.send(id % 20 === 9 ? LONG : 20);
      if (id % 3 === 0) await sleep(5);
    }
  }
}

/** Failures of a connection or of an attempt. */
const CUTS = {
  fin: (lane: Lane) => {
    for (const connection of lane.proxy.connections) connection.cut({ kind: "fin" });
    return lane.disconnections(1);
  },
  rst: (lane: Lane) => {
    lane.reset();
    return lane.disconnections(1);
  },
  "rst amid a message": async (lane: Lane) => {
    lane.proxy.cut({ kind: "rst", after: { direction: "toServer", bytes: LONG / 2 } });
    await lane.disconnections(1);
    lane.proxy.callOffCut();
  },
  freeze: async (lane: Lane) => {
    lane.proxy.freeze();
    if (lane.index === 0) lane.send(ENDLESS);
    await lane.disconnections(1);
    lane.reset(); // Data that is stuck in the network is lost.
    lane.proxy.heal();
  },
  refuse: (lane: Lane) =>
    lane.outage(
      () => lane.proxy.refuse(),
      () => lane.proxy.accept(),
    ),
  "503": (lane: Lane) =>
    lane.outage(
      () => lane.reject(true),
      () => lane.reject(false),
    ),
  "mute upgrade": (lane: Lane) =>
    lane.outage(
      () => lane.proxy.accept("mute"),
      () => lane.proxy.accept(),
    ),
  "accept, then close": (lane: Lane) =>
    lane.outage(
      () => lane.proxy.accept("close"),
      () => lane.proxy.accept(),
    ),
  "probe of a frozen connection": async (lane: Lane) => {
    lane.proxy.freeze();
    lane.link.probe();
    await lane.disconnections(1);
    lane.reset();
    lane.proxy.heal();
  },
} as const;

const KINDS = Object.keys(CUTS) as (keyof typeof CUTS)[];

test(`F8, F9: a storm of ${CLIENTS * CUTS_EACH} cuts: every message ends as one of sent, unsent, unknown, and nothing is left`, async (t) => {
  const before = activeResources();
  const lanes: Lane[] = [];
  const server = await serve(
    async (connection) => {
      const lane = lanes[Number(connection.request.target.slice(1))];
      assert(lane !== undefined);
      const received: number[] = [];
      const index = lane.received.push(received) - 1;
      const reading = connection.forEach((message) => {
        if (message !== "login") received.push(Number.parseInt(String(message), 10));
      });
      for (let count = 0; connection.state === "open"; count++) {
        await connection.send(`${index} ${count}`).catch(() => undefined);
        await sleep(4);
      }
      await reading;
    },
    { host: "127.0.0.1", pingInterval: null, closeTimeout: 500, maxMessageSize: null },
  );
  const sockets = new LiveSockets(server.port);
  const begun = performance.now();
  try {
    for (let index = 0; index < CLIENTS; index++) lanes.push(await Lane.start(index, server));
    const storms = lanes.map(async (lane, index) => {
      for (let cut = 0; cut < CUTS_EACH; cut++) {
        await lane.cut(KINDS[(cut + index) % KINDS.length] ?? "rst");
        await sleep(cut % 3 === 0 ? 60 : 10);
      }
      await lane.stop();
    });
    await withTimeout(Promise.all(storms), 100_000, "the storm");
    const took = performance.now() - begun;
    await server.close(); // Data in transit is still read.

    const total: Record<string, number> = {
      sent: 0,
      unsent: 0,
      unknown: 0,
      received: 0,
      connections: 0,
      read: 0,
    };
    for (const lane of lanes) {
      check(lane);
      for (const [outcome = ""] of lane.outcomes) total[outcome] = (total[outcome] ?? 0) + 1;
      total["received"] = (total["received"] ?? 0) + lane.received.flat().length;
      total["connections"] = (total["connections"] ?? 0) + lane.received.length;
      total["read"] = (total["read"] ?? 0) + lane.read.length;
    }
    assert(
      ["sent", "unsent", "unknown"].every((outcome) => (total[outcome] ?? 0) > 0),
      JSON.stringify(total),
    );
    assert.deepEqual(sockets.overlaps, []);
    t.diagnostic(`${JSON.stringify(total)} in ${Math.round(took)} ms`);
  } finally {
    sockets.stop();
    for (const lane of lanes) await lane[Symbol.asyncDispose]();
    await server.close({ timeout: 1 });
  }
  await assertNothingLeft(before, { timeout: 30_000 });
});

function check({ outcomes, received, read }: Lane): void {
  const all = received.flat();
  const got = new Set(all);
  assert.equal(got.size, all.length, "the server got a message twice");
  for (const [id, ends] of outcomes.entries()) {
    assert(ends.length === 1, `message ${id} ended as ${ends.join(" and ") || "nothing"}`);
    assert(["sent", "unsent", "unknown"].includes(ends[0] ?? ""), ends[0]);
    assert(!(ends[0] === "unsent" && got.has(id)), `message ${id} was unsent, and the server got it`);
  }
  // In order on each connection, and after the messages of the connection before.
  const inOrder = all.toSorted((one, other) => one - other);
  assert.deepEqual(all, inOrder);
  for (const [index, [connection, count]] of read.entries()) {
    const [connectionBefore, countBefore] = read[index - 1] ?? [-1, -1];
    const isNext =
      connection > connectionBefore
        ? count === 0
        : connection === connectionBefore && count === countBefore + 1;
    assert(isNext, `read ${connection} ${count} behind ${connectionBefore} ${countBefore}`);
  }
}

/** The connected sockets of this process, by remote port. Each proxy port belongs to one client. */
class LiveSockets {
  readonly overlaps: string[] = [];
  readonly #except: number;
  readonly #live = new Map<number, Set<Socket>>();

  /** @param except a port that many sockets may be connected to */
  constructor(except: number) {
    this.#except = except;
    subscribe("net.client.socket", this.#onSocket);
  }

  stop(): void {
    unsubscribe("net.client.socket", this.#onSocket);
  }

  readonly #onSocket = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    socket.once("connect", () => {
      const port = socket.remotePort ?? 0;
      if (port === this.#except) return;
      const others = this.#live.get(port) ?? new Set();
      for (const other of others) {
        if (!other.destroyed) this.overlaps.push(`port ${port}`);
        else others.delete(other);
      }
      this.#live.set(port, others.add(socket));
    });
  };
}
