// Requests between processes: each process subscribes to its own channel. On the same channel, a process sends messages
// to itself to check that its subscriptions work.

import { EngineUnavailableError, type RequestHandler } from "holdfast/topics";
import type { Commands } from "../routing/commands.js";
import { deadlineFromNow, sleep, TIMEOUT } from "../routing/deadline.js";
import { toEngineError } from "../routing/failures.js";
import type { Partition, Partitions } from "../routing/partitions.js";
import { script } from "../routing/script.js";
import { EPOCH } from "../scripts/epoch.js";

interface Waiting {
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** Attempts, and milliseconds between them: a process that starts or reconnects may not be subscribed yet. */
const ATTEMPTS = 4;
const RETRY_DELAY = 100;

const CANARY = "c";
/**
 * Only a master executes it. A replica would execute the bare command, and a replaced master would go on serving its
 * former subscribers.
 */
const SEND_CANARY = script(EPOCH, "return redis.call('SPUBLISH', KEYS[1], ARGV[1])");
const REQUEST = "q";
const ANSWER = "r";
const FAILURE = "x";

export class Requests {
  readonly #node: string;
  readonly #commands: Commands;
  readonly #partitions: Partitions;
  readonly #waiting = new Map<string, Waiting>();
  #lastId = 0;
  handler: RequestHandler | null = null;

  constructor(node: string, commands: Commands, partitions: Partitions) {
    this.#node = node;
    this.#commands = commands;
    this.#partitions = partitions;
  }

  /** The partition in which a process receives requests. */
  homeOf(node: string): Partition {
    return this.#partitions.of(node);
  }

  /** The channel of a process in a partition. */
  channelOf(node: string, { prefix }: Partition): string {
    return `${prefix}n:${node}`;
  }

  async request(node: string, body: Uint8Array, timeout: number): Promise<Uint8Array> {
    const id = String(++this.#lastId);
    const answered = new Promise<Uint8Array>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    answered.catch(() => {});
    const timer = setTimeout(() => {
      const message = `The process did not answer within ${timeout} ms.`;
      this.#waiting.get(id)?.reject(new EngineUnavailableError(message, "unknown"));
    }, timeout);
    try {
      const deadline = deadlineFromNow(Math.min(timeout, TIMEOUT));
      await this.#deliver(node, [REQUEST, id, this.#node], body, deadline);
      return await answered;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** Sends a message that this process receives if its subscriptions in the partition work. */
  sendCanary(partition: Partition): void {
    const keys = [this.channelOf(this.#node, partition)];
    // If it cannot be sent, it is not received either, which shows the same.
    void this.#commands.run(SEND_CANARY, partition.slot, keys, [CANARY]).catch(() => {});
  }

  onMessage(payload: Buffer): void {
    const end = payload.indexOf(LINE_FEED);
    if (end === -1) return; // A canary.
    const [type, id = "", from = ""] = payload.toString("latin1", 0, end).split(" ");
    const body = new Uint8Array(payload.subarray(end + 1));
    if (type === REQUEST) void this.#answer(id, from, body);
    else if (type === ANSWER) this.#waiting.get(id)?.resolve(body);
    else if (type === FAILURE) {
      const message = "The process failed to answer, or it answers no requests.";
      this.#waiting.get(id)?.reject(new EngineUnavailableError(message, "unknown"));
    }
  }

  close(): void {
    for (const { reject } of this.#waiting.values()) {
      reject(new EngineUnavailableError("The engine is closed.", "unknown"));
    }
  }

  async #answer(id: string, from: string, body: Uint8Array): Promise<void> {
    let answer: Uint8Array | null;
    try {
      answer = this.handler === null ? null : await this.handler(body);
    } catch {
      answer = null; // The requesting process gets the error; this process already knows it.
    }
    const words = [answer === null ? FAILURE : ANSWER, id];
    await this.#deliver(from, words, answer ?? new Uint8Array(0), deadlineFromNow()).catch(() => {});
  }

  async #deliver(node: string, words: readonly string[], body: Uint8Array, deadline: number): Promise<void> {
    const partition = this.homeOf(node);
    const payload = Buffer.concat([Buffer.from(`${words.join(" ")}\n`, "latin1"), body]);
    const command = ["SPUBLISH", this.channelOf(node, partition), payload];
    for (let attempt = 1; ; attempt++) {
      try {
        const { reply } = await this.#commands.send(partition.slot, command, deadline);
        if (typeof reply === "number" && reply > 0) return;
      } catch (error) {
        throw toEngineError(error, "unknown");
      }
      if (attempt === ATTEMPTS || deadlineFromNow(RETRY_DELAY) >= deadline) {
        throw new EngineUnavailableError("There is no such process.", "unsent");
      }
      await sleep(RETRY_DELAY);
    }
  }
}

const LINE_FEED = 0x0a;
