// Publishes with one script for all messages of a turn, or of the time while another script was running. So messages
// keep their order, even if Redis forgot the script or the connection was cut. One script at a time: several smaller
// ones cost Redis and this process up to twice the CPU per message, and publish fewer messages a second.

import { EngineUnavailableError, type Publication, type Published } from "holdfast/topics";
import type { Reply } from "../client/connection.js";
import { deadlineFromNow } from "../routing/deadline.js";
import { noConnection, refused, toEngineError } from "../routing/failures.js";
import type { Partition, Partitions } from "../routing/partitions.js";
import { runningTime } from "../routing/running-time.js";
import { PUBLISH } from "../scripts/topics.js";
import type { Continuity } from "./continuity.js";
import { encodeBatch, type EncodedBatch } from "./batch.js";
import type { Replication } from "./replication.js";

/** The limits of one script: Redis does nothing else while it runs. */
const MAX_MESSAGES = 512;
const MAX_BYTES = 1024 * 1024;

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

/** Messages of which one script at a time may run. */
interface Lane {
  waiting: Waiting[];
  isBusy: boolean;
}

export class Publisher {
  readonly #partitions: Partitions;
  readonly #continuity: Continuity;
  /** Null if no replica has to confirm messages. */
  readonly #replication: Replication | null;
  /** One for all messages; in a cluster, where the keys of a script have to be in one slot, one for each partition. */
  readonly #lanes = new Map<Partition | null, Lane>();
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
      const deadline = deadlineFromNow();
      const call: Call = { results, deadline, missing: batch.length, resolve, reject };
      const lanes = new Set<Lane>();
      for (const [index, publication] of batch.entries()) {
        const partition = this.#partitions.of(publication.topic);
        const lane = this.#laneOf(partition);
        lane.waiting.push({ publication, partition, call, index });
        lanes.add(lane);
      }
      for (const lane of lanes) void this.#send(lane);
    });
  }

  /** Publishes until no message waits. */
  async #send(lane: Lane): Promise<void> {
    if (lane.isBusy) return;
    lane.isBusy = true;
    while (lane.waiting.length > 0) await this.#publish(lane);
    lane.isBusy = false;
  }

  /** Settles the first messages that wait. */
  async #publish(lane: Lane): Promise<void> {
    const batch = lane.waiting.slice(0, take(lane.waiting));
    lane.waiting = lane.waiting.slice(batch.length);
    const now = runningTime();
    const isLate = ({ call }: Waiting): boolean => call.deadline <= now;
    for (const message of batch) if (isLate(message)) settle(message, noConnection(null));
    const timely = batch.some(isLate) ? batch.filter((message) => !isLate(message)) : batch;
    const [first] = timely;
    if (first !== undefined) await this.#run(first, timely, lane);
  }

  /** @param first the one with the earliest deadline */
  async #run({ partition, call }: Waiting, batch: readonly Waiting[], lane: Lane): Promise<void> {
    const encoded = encodeBatch(batch);
    const { deadline } = call;
    try {
      const { reply, connection } = await this.#continuity.run(
        PUBLISH,
        partition.slot,
        encoded.keys,
        [encoded.data],
        deadline,
      );
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
        this.#split([...batch, ...lane.waiting]);
        lane.waiting = [];
        return;
      }
      const failure = toEngineError(error, "unknown");
      for (const message of batch) settle(message, failure);
    }
  }

  /** A cluster after all, although the client is that of a single server. Nothing was published. */
  #split(messages: readonly Waiting[]): void {
    this.#isSplit = true;
    for (const message of messages) this.#laneOf(message.partition).waiting.push(message);
    for (const lane of this.#lanes.values()) void this.#send(lane);
  }

  #laneOf(partition: Partition): Lane {
    const key = this.#isSplit ? partition : null;
    let lane = this.#lanes.get(key);
    if (lane === undefined) this.#lanes.set(key, (lane = { waiting: [], isBusy: false }));
    return lane;
  }
}

function settle({ call, index }: Waiting, result: Result): void {
  call.results[index] = result;
  if (--call.missing > 0) return;
  const failure = commonFailure(call.results);
  if (failure === null) call.resolve(call.results);
  else call.reject(failure);
}

/** An error that applies to all messages; null if there is none. */
function commonFailure(results: readonly Result[]): EngineUnavailableError | null {
  const [first] = results;
  if (!(first instanceof EngineUnavailableError)) return null;
  return results.every((result) => failed(result)?.outcome === first.outcome) ? first : null;
}

/** The number of messages of the next script: at least one. */
function take(waiting: readonly Waiting[]): number {
  let count = 0;
  let bytes = 0;
  for (const { publication } of waiting) {
    bytes += publication.data.length;
    if (count > 0 && (count >= MAX_MESSAGES || bytes > MAX_BYTES)) break;
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
