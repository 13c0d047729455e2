// Publishes: one script for all messages of a turn, and for those that have come while one of the same partition was under
// way. So they keep their order, also where Redis forgot the script or the connection was cut.

import { EngineUnavailableError, type Publication, type Published } from "holdfast/topics";
import type { Reply } from "../client/connection.js";
import { TIMEOUT } from "../routing/deadline.js";
import { noConnection, refused, toEngineError } from "../routing/failures.js";
import type { Partition, Partitions } from "../routing/partitions.js";
import { PUBLISH } from "../scripts/topics.js";
import type { Continuity } from "./continuity.js";
import { encodeBatch, type EncodedBatch } from "./batch.js";
import type { Replication } from "./replication.js";

/** Messages, and bytes, of one script: Redis does nothing else meanwhile. */
const MAX_MESSAGES = 512;
const MAX_BYTES = 1024 * 1024;
/** Scripts under way. More of them would be smaller ones, which cost Redis more. In a cluster, each partition has its own. */
const MAX_SCRIPTS = 4;

type Result = EngineUnavailableError | Published;

/** A call of `publish()`. */
interface Call {
  readonly results: Result[];
  readonly deadline: number;
  missing: number;
  readonly resolve: (results: readonly Result[]) => void;
  readonly reject: (error: EngineUnavailableError) => void;
}

interface Waiting {
  readonly publication: Publication;
  readonly partition: Partition;
  readonly call: Call;
  /** Its place in the results. */
  readonly index: number;
}

export class Publisher {
  readonly #partitions: Partitions;
  readonly #continuity: Continuity;
  /** Null if messages need not be confirmed by a replica. */
  readonly #replication: Replication | null;
  /** Messages that wait, by partition. */
  readonly #waiting = new Map<Partition, Waiting[]>();
  /** Partitions with a script under way: their next messages wait, so that they keep their order. */
  readonly #busy = new Set<Partition>();
  #scripts = 0;
  /** Whether the keys of a script have to be of one slot. */
  #isSplit: boolean;

  constructor(
    isCluster: boolean,
    partitions: Partitions,
    continuity: Continuity,
    replication: Replication | null,
  ) {
    this.#partitions = partitions;
    this.#continuity = continuity;
    this.#replication = replication;
    this.#isSplit = isCluster;
  }

  publish(batch: readonly Publication[]): Promise<readonly Result[]> {
    return new Promise((resolve, reject) => {
      const results = new Array<Result>(batch.length);
      if (batch.length === 0) resolve(results);
      const deadline = performance.now() + TIMEOUT;
      const call: Call = { results, deadline, missing: batch.length, resolve, reject };
      for (const [index, publication] of batch.entries()) {
        const partition = this.#partitions.of(publication.topic);
        this.#waitingAt(partition).push({ publication, partition, call, index });
      }
      this.#send();
    });
  }

  #send(): void {
    let batch: Waiting[] = [];
    const room = { messages: MAX_MESSAGES, bytes: MAX_BYTES };
    for (const [partition, waiting] of this.#waiting) {
      if (this.#busy.has(partition)) continue;
      if (!this.#isSplit && this.#scripts >= MAX_SCRIPTS) break;
      const taken = take(waiting, room);
      if (taken === waiting.length) this.#waiting.delete(partition);
      batch.push(...waiting.splice(0, taken));
      this.#busy.add(partition);
      if (!this.#isSplit && room.messages > 0 && room.bytes > 0) continue;
      void this.#publish(batch);
      batch = [];
      [room.messages, room.bytes] = [MAX_MESSAGES, MAX_BYTES];
    }
    if (batch.length > 0) void this.#publish(batch);
  }

  /** Settles all of the batch. */
  async #publish(batch: readonly Waiting[]): Promise<void> {
    this.#scripts++;
    const now = performance.now();
    const isLate = ({ call }: Waiting): boolean => call.deadline <= now;
    for (const message of batch) if (isLate(message)) settle(message, noConnection(null));
    const timely = batch.some(isLate) ? batch.filter((message) => !isLate(message)) : batch;
    const [first] = timely;
    if (first !== undefined) await this.#run(first.partition.slot, timely);
    this.#scripts--;
    for (const { partition } of batch) this.#busy.delete(partition);
    this.#send();
  }

  async #run(slot: number, batch: readonly Waiting[]): Promise<void> {
    const encoded = encodeBatch(batch);
    const deadline = Math.min(...batch.map(({ call }) => call.deadline));
    const args = [encoded.data];
    try {
      const { reply, connection } = await this.#continuity.run(PUBLISH, slot, encoded.keys, args, deadline);
      if (this.#replication === null) {
        settleAll(encoded, reply, null);
        return;
      }
      this.#replication.confirm(connection, deadline).then(
        () => settleAll(encoded, reply, null),
        (error: unknown) => settleAll(encoded, reply, toEngineError(error, "unknown")),
      ); // The next batch need not wait.
    } catch (error) {
      if (!this.#isSplit && isCrossSlot(error)) {
        // A node of a cluster after all, by the client of a single server. Nothing was done.
        this.#isSplit = true;
        for (const message of batch.toReversed()) this.#waitingAt(message.partition).unshift(message);
        return;
      }
      const failure = toEngineError(error, "unknown");
      for (const message of batch) settle(message, failure);
    }
  }

  #waitingAt(partition: Partition): Waiting[] {
    let waiting = this.#waiting.get(partition);
    if (waiting === undefined) this.#waiting.set(partition, (waiting = []));
    return waiting;
  }
}

function settle({ call, index }: Waiting, result: Result): void {
  call.results[index] = result;
  if (--call.missing > 0) return;
  const failure = commonFailure(call.results);
  if (failure === null) call.resolve(call.results);
  else call.reject(failure);
}

/** The error that applies to all messages; null if there is none. */
function commonFailure(results: readonly Result[]): EngineUnavailableError | null {
  const [first] = results;
  if (!(first instanceof EngineUnavailableError)) return null;
  return results.every((result) => failed(result)?.outcome === first.outcome) ? first : null;
}

/** The number of messages for which there is room: at least one. */
function take(waiting: readonly Waiting[], room: { messages: number; bytes: number }): number {
  let count = 0;
  for (const { publication } of waiting) {
    if (count > 0 && (room.messages <= 0 || room.bytes < publication.data.length)) break;
    room.messages--;
    room.bytes -= publication.data.length;
    count++;
  }
  return count;
}

/** @param failure of all that succeeded otherwise */
function settleAll(
  { results }: EncodedBatch<Waiting>,
  reply: Reply,
  failure: EngineUnavailableError | null,
): void {
  const [epochList, outcomes] = reply as readonly [readonly Outcome[], readonly Outcome[]];
  const epochs = new Map<number, string>();
  for (let index = 0; index < epochList.length; index += 2) {
    epochs.set(epochList[index] as number, String(epochList[index + 1]));
  }
  for (const [part, { place, members }] of results.entries()) {
    const outcome = outcomes[part];
    if (typeof outcome !== "number") {
      const result = outcome === undefined ? missingResult() : decodeText(outcome.toString());
      for (const member of members) settle(member, failed(result) ?? failure ?? result);
      continue;
    }
    const epoch = outcome === 0 ? null : (epochs.get(place) ?? "");
    let offset = outcome - members.length;
    for (const member of members) {
      offset++;
      settle(member, failure ?? { offset: epoch === null ? null : offset, epoch, isDuplicate: false });
    }
  }
}

type Outcome = Buffer | number;

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

function failed(result: Result): EngineUnavailableError | null {
  return result instanceof EngineUnavailableError ? result : null;
}

function missingResult(): EngineUnavailableError {
  return new EngineUnavailableError("Redis returned fewer results than messages.", "unknown");
}

function isCrossSlot(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof Error && cause.message.startsWith("CROSSSLOT");
}
