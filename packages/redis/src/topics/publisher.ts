// Publishes: one script for all messages of a partition that have come while the script before was under way. So they
// keep their order, also where Redis forgot the script or the connection was cut.

import { EngineUnavailableError, type Publication, type Published } from "holdfast/topics";
import type { Argument, Reply } from "../client/connection.js";
import type { Commands } from "../routing/commands.js";
import { TIMEOUT } from "../routing/deadline.js";
import { noConnection, refused, toEngineError } from "../routing/failures.js";
import type { Partition, Partitions } from "../routing/partitions.js";
import { PUBLISH } from "../scripts/topics.js";
import { kindOf } from "./message-frame.js";
import type { Replication } from "./replication.js";

/** Messages, and bytes, of one script: Redis does nothing else meanwhile. */
const MAX_MESSAGES = 256;
const MAX_BYTES = 1024 * 1024;

type Result = EngineUnavailableError | Published;

interface Waiting {
  readonly publication: Publication;
  readonly deadline: number;
  readonly settle: (result: Result) => void;
}

interface Queue {
  readonly partition: Partition;
  waiting: Waiting[];
  isRunning: boolean;
}

export class Publisher {
  readonly #commands: Commands;
  readonly #partitions: Partitions;
  readonly #newEpoch: () => string;
  /** Null if messages need not be confirmed by a replica. */
  readonly #replication: Replication | null;
  readonly #queues = new Map<number, Queue>();

  constructor(
    commands: Commands,
    partitions: Partitions,
    newEpoch: () => string,
    replication: Replication | null,
  ) {
    this.#commands = commands;
    this.#partitions = partitions;
    this.#newEpoch = newEpoch;
    this.#replication = replication;
  }

  publish(batch: readonly Publication[]): Promise<readonly Result[]> {
    return new Promise((resolve, reject) => {
      const results = new Array<Result>(batch.length);
      let missing = batch.length;
      if (missing === 0) resolve(results);
      const deadline = performance.now() + TIMEOUT;
      const touched = new Set<Queue>();
      for (const [index, publication] of batch.entries()) {
        const queue = this.#queueOf(this.#partitions.of(publication.topic));
        const settle = (result: Result): void => {
          results[index] = result;
          if (--missing > 0) return;
          const failure = commonFailure(results);
          if (failure === null) resolve(results);
          else reject(failure);
        };
        queue.waiting.push({ publication, deadline, settle });
        touched.add(queue);
      }
      for (const queue of touched) if (!queue.isRunning) void this.#run(queue);
    });
  }

  async #run(queue: Queue): Promise<void> {
    queue.isRunning = true;
    while (queue.waiting.length > 0) {
      const batch = takeBatch(queue);
      const now = performance.now();
      const late = batch.filter(({ deadline }) => deadline <= now);
      const timely = late.length === 0 ? batch : batch.filter(({ deadline }) => deadline > now);
      for (const { settle } of late) settle(noConnection(null));
      if (timely.length > 0) await this.#publish(queue.partition, timely);
    }
    queue.isRunning = false;
    this.#queues.delete(queue.partition.index);
  }

  /** Settles all of the batch. */
  async #publish(partition: Partition, batch: readonly Waiting[]): Promise<void> {
    const { keys, args, places } = this.#encode(partition, batch);
    // In the order of their calls, the first is the earliest.
    const deadline = batch[0]?.deadline ?? 0;
    try {
      const { reply, connection } = await this.#commands.run(PUBLISH, partition.slot, keys, args, deadline);
      const results = decodeResults(reply, places);
      if (this.#replication === null) {
        batch.forEach(({ settle }, index) => settle(results[index] ?? missingResult()));
      } else {
        const confirmed = this.#replication.confirm(connection, deadline);
        // The next batch need not wait.
        confirmed.then(
          () => batch.forEach(({ settle }, index) => settle(results[index] ?? missingResult())),
          (error: unknown) => {
            const failure = toEngineError(error, "unknown");
            batch.forEach(({ settle }, index) => settle(failed(results[index]) ?? failure));
          },
        );
      }
    } catch (error) {
      const failure = toEngineError(error, "unknown");
      for (const { settle } of batch) settle(failure);
    }
  }

  #encode(
    { prefix }: Partition,
    batch: readonly Waiting[],
  ): { keys: Argument[]; args: Argument[]; places: number[] } {
    const keys: Argument[] = [];
    const placeOf = new Map<string, number>();
    for (const { publication } of batch) {
      const { topic } = publication;
      if (placeOf.has(topic)) continue;
      placeOf.set(topic, keys.length + 1);
      keys.push(`${prefix}m:${topic}`, `${prefix}s:${topic}`);
    }
    const args: Argument[] = [this.#newEpoch(), `${prefix}c:`, String(Buffer.byteLength(prefix) + 2)];
    const places: number[] = [];
    for (const { publication } of batch) {
      const { topic, data, id, history, compress } = publication;
      const place = placeOf.get(topic) ?? 0;
      places.push(place);
      let idPlace = 0;
      // The length keeps the topic "a:b" with the id "c" apart from "a" with "b:c".
      if (id !== null) idPlace = keys.push(`${prefix}i:${topic.length}:${topic}:${id}`);
      args.push(
        String(place),
        String(idPlace),
        history === null ? "0" : String(history.messages),
        history === null ? "0" : String(history.age),
        kindOf(data, compress),
        typeof data === "string" ? data : Buffer.from(data.buffer, data.byteOffset, data.length),
      );
    }
    return { keys, args, places };
  }

  #queueOf(partition: Partition): Queue {
    let queue = this.#queues.get(partition.index);
    if (queue === undefined) {
      queue = { partition, waiting: [], isRunning: false };
      this.#queues.set(partition.index, queue);
    }
    return queue;
  }
}

/** The error that applies to all messages; null if there is none. */
function commonFailure(results: readonly Result[]): EngineUnavailableError | null {
  const [first] = results;
  if (!(first instanceof EngineUnavailableError)) return null;
  return results.every((result) => failed(result)?.outcome === first.outcome) ? first : null;
}

function takeBatch(queue: Queue): readonly Waiting[] {
  let count = 0;
  for (let bytes = 0; count < queue.waiting.length && count < MAX_MESSAGES; count++) {
    bytes += queue.waiting[count]?.publication.data.length ?? 0;
    if (bytes > MAX_BYTES && count > 0) break;
  }
  if (count === queue.waiting.length) {
    const all = queue.waiting;
    queue.waiting = [];
    return all;
  }
  return queue.waiting.splice(0, count);
}

function decodeResults(reply: Reply, places: readonly number[]): readonly Result[] {
  const [epochList, results] = reply as readonly [readonly (Buffer | number)[], readonly (Buffer | number)[]];
  const epochs = new Map<number, string>();
  for (let index = 0; index < epochList.length; index += 2) {
    epochs.set(epochList[index] as number, String(epochList[index + 1]));
  }
  return results.map((result, index) => {
    if (typeof result !== "number") return decodeText(result.toString());
    if (result === 0) return { offset: null, epoch: null, isDuplicate: false };
    return { offset: result, epoch: epochs.get(places[index] ?? 0) ?? "", isDuplicate: false };
  });
}

function decodeText(text: string): Result {
  const rest = text.slice(1);
  if (text.startsWith("d")) {
    const [offset, epoch] = rest.split(" ");
    if (epoch === undefined) return { offset: null, epoch: null, isDuplicate: true };
    return { offset: Number(offset), epoch, isDuplicate: true };
  }
  const outcome = text.startsWith("e") ? "unsent" : "unknown";
  return refused(new Error(rest), outcome);
}

function failed(result: Result | undefined): EngineUnavailableError | null {
  return result instanceof EngineUnavailableError ? result : null;
}

function missingResult(): EngineUnavailableError {
  return new EngineUnavailableError("Redis returned fewer results than messages.", "unknown");
}
