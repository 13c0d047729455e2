// Cuts the sockets of sessions under load at random byte offsets, and compares what was sent with what was received.

import { setTimeout as sleep } from "node:timers/promises";
import { connectPersistent, serve, type Connection, type PersistentConnection, type Server } from "holdfast";
import { FaultProxy, SeededRandom, type CutOptions } from "holdfast-testkit";
import { compose, inEitherType, pickLength } from "./messages.js";
import { sum, type Verdict } from "./tally.js";
import { newTallies, Traffic, type Tallies } from "./traffic.js";

export interface CutsOptions {
  readonly count: number;
  readonly seed: number;
  readonly clients: number;
  /** Called now and then with the number of cuts so far. */
  readonly onProgress?: (cuts: number) => void;
}

export interface CutsReport {
  readonly cuts: number;
  readonly seconds: number;
  readonly resumed: number;
  readonly toServer: Verdict;
  readonly toClients: Verdict;
  readonly broadcasts: Verdict;
  /** Violations, in words: lost sessions, rejected sends, damaged messages. */
  readonly failures: readonly string[];
}

export async function play({ count, seed, clients, onProgress }: CutsOptions): Promise<CutsReport> {
  const start = performance.now();
  const random = new SeededRandom(seed);
  const pairs: Pair[] = [];
  const server = await serve(
    (connection) => pairs[Number(connection.url.split("/").at(-1))]?.serve(connection),
    {
      host: "127.0.0.1",
      sessions: true,
      compression: true,
    },
  );
  for (let index = 0; index < clients; index++) {
    pairs.push(await Pair.start(index, server, new SeededRandom(random.integer(0, 2 ** 31))));
  }
  const broadcasts = new Broadcasts(server, pairs, new SeededRandom(random.integer(0, 2 ** 31)));
  const broadcasting = broadcasts.run();
  let told = 0;
  for (;;) {
    const cuts = pairs.reduce((total, pair) => total + pair.cuts, 0);
    if (cuts >= count) break;
    if (cuts - told >= 500) onProgress?.((told = cuts));
    await sleep(20);
  }
  broadcasts.stop();
  await broadcasting;
  await Promise.all(pairs.map((pair) => pair.finish()));
  await Promise.all(pairs.map((pair) => pair.close()));
  await server.close();
  return {
    cuts: pairs.reduce((total, pair) => total + pair.cuts, 0),
    seconds: (performance.now() - start) / 1000,
    resumed: pairs.reduce((total, pair) => total + pair.resumed, 0),
    toServer: sum(pairs.flatMap(({ toServer }) => [toServer.direct.verdict, toServer.streamed.verdict])),
    toClients: sum(pairs.flatMap(({ toClient }) => [toClient.direct.verdict, toClient.streamed.verdict])),
    broadcasts: sum(pairs.map(({ toClient }) => toClient.broadcast.verdict)),
    failures: pairs.flatMap((pair) => pair.failures),
  };
}

/** A client, the proxy that cuts its sockets, and its session at the server. */
class Pair {
  readonly toServer: Tallies = newTallies();
  readonly toClient: Tallies = newTallies();
  cuts = 0;
  resumed = 0;
  readonly #random: SeededRandom;
  readonly #proxy: FaultProxy;
  readonly #client: PersistentConnection;
  readonly #clientTraffic: Traffic;
  readonly #serverTraffic: Traffic;
  readonly #failures: string[] = [];
  readonly #loops: Promise<unknown>[] = [];
  #session: Connection | null = null;
  /** Messages that may still be sent to the detached session: it must not overflow. */
  #allowance = 0;
  #isCutting = true;

  static async start(index: number, server: Server, random: SeededRandom): Promise<Pair> {
    return new Pair(index, await FaultProxy.start({ target: { port: server.port } }), random);
  }

  private constructor(index: number, proxy: FaultProxy, random: SeededRandom) {
    this.#random = random;
    this.#proxy = proxy;
    const child = (): SeededRandom => new SeededRandom(random.integer(0, 2 ** 31));
    this.#clientTraffic = new Traffic(child(), this.toServer, this.toClient);
    this.#serverTraffic = new Traffic(child(), this.toClient, this.toServer);
    this.#client = connectPersistent(proxy.url("ws", `/${index}`), {
      // Some windows are small, so that senders wait for acks.
      session: { window: index % 2 === 0 ? { messages: 32, bytes: 32 * 1024 } : {} },
      compression: true,
      firstDelay: 2,
      maxDelay: 4,
    });
    const client = this.#client;
    // A cut before the client knows its session leaves one behind that nobody resumes, with what the server sent to it.
    client.on("open", ({ isFirst }) => {
      if (isFirst) proxy.cut(this.#plan());
    });
    client.on("disconnected", () => {
      this.cuts++;
      if (this.#isCutting) proxy.cut(this.#plan());
    });
    client.on("resumed", () => this.resumed++);
    client.on("lost", ({ reason }) => this.#failures.push(`client ${index}: lost ${reason}`));
    const run = this.#clientTraffic.run({
      get hasRoom() {
        return client.queued.messages < 100;
      },
      send: (data, options) => client.send(data, options),
      get stream() {
        const { connection } = client;
        const isReady = connection !== null && client.status.state === "open";
        return isReady ? (pieces: AsyncIterable<string | Uint8Array>) => connection.send(pieces) : null;
      },
    });
    this.#loops.push(
      run,
      client.forEach((message) => this.#clientTraffic.receive(message)),
    );
  }

  get failures(): readonly string[] {
    return [...this.#failures, ...this.#clientTraffic.failures, ...this.#serverTraffic.failures];
  }

  /** The server's handler. */
  serve(connection: Connection): Promise<void> {
    if (this.#session !== null) this.#failures.push("a second session");
    this.#session = connection;
    connection.on("detached", () => (this.#allowance = 3));
    connection.on("lost", ({ reason }) => this.#failures.push(`server: lost ${reason}`));
    const hasRoom = (): boolean =>
      connection.bufferedAmount < 64 * 1024 &&
      (connection.session?.isAttached === true || this.#allowance-- > 0);
    this.#loops.push(
      this.#serverTraffic.run({
        get hasRoom() {
          return hasRoom();
        },
        send: (data, options) => connection.send(data, options),
        stream: (pieces) => connection.send(pieces),
      }),
    );
    return this.#read(connection);
  }

  /** The session exists, and is not so far behind that a broadcast could overflow it. */
  get takesBroadcasts(): boolean {
    return this.#session !== null && this.#session.bufferedAmount < 64 * 1024;
  }

  /** Everything that was sent has been received. */
  async finish(): Promise<void> {
    this.#isCutting = false;
    this.#proxy.callOffCut();
    this.#clientTraffic.stop();
    this.#serverTraffic.stop();
    await this.#loops[0];
    await this.#loops[2];
    const last = { until: "delivered" } as const;
    const send = (tally: Tallies): string => {
      const text = compose("direct", tally.direct.sent, 50);
      tally.direct.onSent();
      return text;
    };
    await this.#client.send(send(this.toServer), last);
    await this.#session?.send(send(this.toClient), last);
  }

  async close(): Promise<void> {
    await this.#client.close();
    await Promise.all(this.#loops);
    await this.#proxy.close();
  }

  /** Some messages are read whole, others in pieces. */
  async #read(connection: Connection): Promise<void> {
    try {
      for (;;) {
        if (this.#random.number() < 0.7) this.#serverTraffic.receive(await connection.recv());
        else await this.#readPieces(connection);
      }
    } catch (error) {
      const { ok, cause } = await connection.closed;
      if (!ok) this.#failures.push(`the server's connection ended with ${cause}: ${String(error)}`);
    }
  }

  async #readPieces(connection: Connection): Promise<void> {
    const pieces: (string | Uint8Array)[] = [];
    try {
      for await (const piece of connection.recvStream()) pieces.push(piece);
    } catch (error) {
      // The client streamed the message, and its socket was cut meanwhile.
      if (connection.state === "open") return;
      throw error;
    }
    const isText = typeof pieces[0] === "string";
    const message = isText ? pieces.join("") : Buffer.concat(pieces as Uint8Array[]);
    this.#serverTraffic.receive(message);
  }

  /** Often within the handshake or the resumption, otherwise amid messages. */
  #plan(): CutOptions {
    const random = this.#random;
    const share = random.number();
    const most = share < 0.4 ? 900 : share < 0.85 ? 8_000 : 60_000;
    const direction = random.number() < 0.5 ? "toServer" : "toClient";
    return {
      kind: random.number() < 0.5 ? "fin" : "rst",
      after: { direction, bytes: random.integer(1, most) },
    };
  }
}

class Broadcasts {
  readonly #server: Server;
  readonly #pairs: readonly Pair[];
  readonly #random: SeededRandom;
  #count = 0;
  #isStopping = false;

  constructor(server: Server, pairs: readonly Pair[], random: SeededRandom) {
    this.#server = server;
    this.#pairs = pairs;
    this.#random = random;
  }

  async run(): Promise<void> {
    while (!this.#isStopping) {
      await sleep(this.#random.integer(0, 8));
      if (!this.#pairs.every((pair) => pair.takesBroadcasts)) continue;
      const text = compose("broadcast", this.#count++, Math.min(4_000, pickLength(this.#random)));
      const data = inEitherType(text, this.#random);
      this.#server.broadcast(data, { compress: this.#random.number() < 0.5 });
      if (typeof data !== "string") data.fill(0); // Callers may reuse the memory at once.
      for (const { toClient } of this.#pairs) toClient.broadcast.onSent();
    }
  }

  stop(): void {
    this.#isStopping = true;
  }
}
