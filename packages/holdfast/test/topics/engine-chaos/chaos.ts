// Three processes with many clients, under load, while processes, subscriptions and the engine's server are killed. Each client
// checks what it gets: every message of its topics in the order of offsets, or a gap.

import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { connectPersistent } from "holdfast";
import { createTopics, subscribe, type Position, type TopicEvent } from "holdfast/topics";
import { freePort } from "holdfast-testkit";
import type { EngineBackend } from "../engine-contract.js";

/** A server of the engine, and the program of a process that uses it. */
export interface ChaosBackend extends Required<Pick<EngineBackend, "close" | "cutSubscriptions" | "open">> {
  /** Where processes reach the server. */
  readonly port: number;
  /** A program that calls `runProcess()`. */
  readonly program: URL;
  killServer(): Promise<void>;
  /** Starts it again, with what it has on its disk. */
  startServer(): Promise<void>;
}

export interface ChaosOptions {
  readonly seconds: number;
  readonly clients: number;
  readonly topics: number;
  /** Messages a second, of each process. */
  readonly rate: number;
  /** Seconds between two kills; 0 for none. */
  readonly processKills: number;
  readonly subscriptionKills: number;
  readonly serverKills: number;
}

export interface ChaosResult {
  readonly published: number;
  readonly received: number;
  /** Offsets that were skipped without a gap. */
  readonly lost: number;
  /** Offsets that came again, or too late. */
  readonly repeated: number;
  /** Offsets at which two subscribers got different messages. */
  readonly conflicts: number;
  readonly gaps: number;
  /** One of the gaps, as JSON, to find its cause; null without any. */
  readonly exampleGap: string | null;
  /** Subscriptions that did not get the last message of their topic. */
  readonly stuck: number;
  readonly kills: { readonly processes: number; readonly subscriptions: number; readonly servers: number };
}

const PROCESSES = 3;
const TOPICS_PER_CLIENT = 2;
const LAST = "last";

export async function runChaos(
  openBackend: () => Promise<ChaosBackend>,
  options: ChaosOptions,
): Promise<ChaosResult> {
  const backend = await openBackend();
  const engine = await backend.open();
  const topics = createTopics({ engine, history: true });
  const processes = await Promise.all(
    Array.from({ length: PROCESSES }, async (_, index) => {
      const started = new ServerProcess(index, await freePort(), backend, options);
      await started.start();
      return started;
    }),
  );
  const allTopics = Array.from({ length: options.topics }, (_, index) => `topic ${index}`);
  const stop = new AbortController();
  const kills = { processes: 0, subscriptions: 0, servers: 0 };
  const subscriptions: Subscriber[] = [];
  const contents = new Map<string, string>();
  const ends = new Map<string, Position>();
  const links = Array.from({ length: options.clients }, (_, index) => {
    const { port } = processes[index % PROCESSES];
    const link = connectPersistent(`ws://127.0.0.1:${port}`, {
      signal: stop.signal,
      linkProtocol: true,
      maxDelay: 1_000,
    });
    for (let place = 0; place < TOPICS_PER_CLIENT; place++) {
      const topic = `topic ${(index + place * 7) % options.topics}`;
      const subscriber = new Subscriber(topic, contents, ends);
      subscriptions.push(subscriber);
      subscriber.run(subscribe(link, topic)).catch((error: unknown) => {
        if (!stop.signal.aborted) console.error(error); // The subscriber is stuck.
      });
    }
    return link;
  });
  try {
    const end = performance.now() + options.seconds * 1_000;
    const isOver = (): boolean => performance.now() > end - 3_000;
    const every = async (seconds: number, act: (count: number) => Promise<void>): Promise<void> => {
      if (seconds === 0) return;
      for (let count = 0; ; count++) {
        await sleep(seconds * 1_000, null, { signal: stop.signal });
        if (count > 0 && isOver()) return; // Once at least: a busy machine may begin late.
        await act(count);
      }
    };
    const chaos = [
      every(options.processKills, async (count) => {
        kills.processes++;
        await processes[count % PROCESSES].restart();
      }),
      every(options.subscriptionKills, async () => {
        kills.subscriptions++;
        await backend.cutSubscriptions().catch(() => {}); // The server may be down.
      }),
      every(options.serverKills, async () => {
        kills.servers++;
        await backend.killServer();
        await sleep(500);
        await backend.startServer();
      }),
    ];
    for (const one of chaos) one.catch(() => {});
    await sleep(options.seconds * 1_000);
    await Promise.all(chaos); // On a busy machine, a restart takes longer.
    await Promise.all(processes.map((one) => one.becomeQuiet()));
    const deadline = performance.now() + 60_000;
    // Again for those who subscribe only now: on a busy machine, a client may be away until after the end.
    for (let round = 0; performance.now() < deadline; round++) {
      const waiting = subscriptions.filter(({ isFinished }) => !isFinished);
      if (round > 0 && waiting.length === 0) break;
      const names = round > 0 ? waiting.map(({ topic }) => topic) : allTopics;
      for (const name of new Set(names)) {
        const { epoch, offset } = await untilPublished(() =>
          topics.publish(name, LAST, { id: `${LAST} ${round}` }),
        );
        if (epoch !== null && offset !== null) ends.set(name, { epoch, offset });
      }
      await sleep(2_000);
    }
  } finally {
    stop.abort();
    await Promise.allSettled(links.map((link) => link.close()));
    for (const one of processes) await one.stop();
    await topics.close();
    await engine[Symbol.asyncDispose]();
    await backend.close();
  }
  const sum = (of: (subscriber: Subscriber) => number): number =>
    subscriptions.reduce((total, subscriber) => total + of(subscriber), 0);
  return {
    published: contents.size,
    received: sum(({ received }) => received),
    lost: sum(({ lost }) => lost),
    repeated: sum(({ repeated }) => repeated),
    conflicts: sum(({ conflicts }) => conflicts),
    gaps: sum(({ gaps }) => gaps),
    exampleGap: subscriptions.find(({ gaps }) => gaps > 0)?.newestGap ?? null,
    stuck: sum(({ isFinished }) => (isFinished ? 0 : 1)),
    kills,
  };
}

async function untilPublished<Result>(publish: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await publish();
    } catch {
      await sleep(100);
    }
  }
}

class Subscriber {
  readonly topic: string;
  readonly #contents: Map<string, string>;
  readonly #ends: ReadonlyMap<string, Position>;
  #position: Position | null = null;
  #hasLast = false;
  received = 0;
  lost = 0;
  repeated = 0;
  conflicts = 0;
  gaps = 0;
  newestGap: string | null = null;

  constructor(topic: string, contents: Map<string, string>, ends: ReadonlyMap<string, Position>) {
    this.topic = topic;
    this.#contents = contents;
    this.#ends = ends;
  }

  /** Whether it has the last message, or is past it, since that may be in a gap. */
  get isFinished(): boolean {
    if (this.#hasLast) return true;
    const [place, end] = [this.#position, this.#ends.get(this.topic)];
    return end !== undefined && place?.epoch === end.epoch && place.offset >= end.offset;
  }

  async run(events: AsyncIterable<TopicEvent>): Promise<void> {
    for await (const event of events) {
      if (event.type === "gap") {
        this.gaps++;
        this.newestGap = JSON.stringify(event);
        this.#position = event.position;
      } else if (event.epoch !== null && event.offset !== null) {
        this.#onMessage({ epoch: event.epoch, offset: event.offset }, String(event.data));
      }
    }
  }

  #compare(last: Position, { epoch, offset }: Position): void {
    if (last.epoch !== epoch || offset > last.offset + 1) this.lost++;
    else if (offset <= last.offset) this.repeated++;
  }

  #onMessage({ epoch, offset }: Position, data: string): void {
    const last = this.#position;
    this.#position = { epoch, offset };
    this.received++;
    if (last !== null) this.#compare(last, { epoch, offset });
    const place = `${this.topic} ${epoch} ${offset}`;
    const known = this.#contents.get(place);
    if (known === undefined) this.#contents.set(place, data);
    else if (known !== data) this.conflicts++;
    if (data === LAST) this.#hasLast = true;
  }
}

class ServerProcess {
  readonly port: number;
  readonly #index: number;
  readonly #backend: ChaosBackend;
  readonly #options: ChaosOptions;
  #child: ChildProcess | null = null;
  #generation = 0;

  constructor(index: number, port: number, backend: ChaosBackend, options: ChaosOptions) {
    this.#index = index;
    this.port = port;
    this.#backend = backend;
    this.#options = options;
  }

  async start(): Promise<void> {
    const name = `${this.#index}.${this.#generation++}`;
    const { topics, rate } = this.#options;
    const args = [this.#backend.port, this.port, name, topics, rate].map(String);
    this.#child = fork(this.#backend.program, args);
    await once(this.#child, "message");
  }

  /** Resolves once it has published what it has begun. */
  async becomeQuiet(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    child.send("quiet");
    await Promise.race([once(child, "message"), once(child, "exit")]);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  async restart(): Promise<void> {
    await this.stop();
    await sleep(200);
    await this.start();
  }
}
