// Publishes. While messages of a topic are in flight, further ones wait, and are then sent together, in call order. The
// subject names the stream, so a message never reaches the successor of its stream.

import { headers as newHeaders, type MsgHdrs } from "@nats-io/transport-node";
import type { MessageTooBigError } from "holdfast";
import { EngineUnavailableError, type Publication, type Published } from "holdfast/topics";
import { JetStreamApiError, type ApiError } from "@nats-io/jetstream";
import { deadlineFromNow } from "../connection/deadline.js";
import { isNoResponders, noConnection, noReply, tooBig, toEngineError } from "../connection/failures.js";
import type { Link } from "../connection/link.js";
import { hashOf, type Names } from "../connection/names.js";
import { encodeFrame } from "./message-frame.js";
import { isSame, type TopicStream, type TopicStreams } from "./topic-streams.js";
import { runningTime } from "../connection/running-time.js";

/** Messages of one topic in flight at a time. */
const MAX_BATCH = 512;
/** Milliseconds after which a topic's limits are applied again, because another process may have changed them. */
const CHECK_INTERVAL = 30_000;

export type PublishResult = EngineUnavailableError | MessageTooBigError | Published;

interface Waiting {
  readonly publication: Publication;
  readonly deadline: number;
  readonly settle: (result: PublishResult) => void;
}

interface Queue {
  readonly topic: string;
  readonly hash: string;
  readonly waiting: Waiting[];
  isRunning: boolean;
}

export class Publisher {
  readonly #link: Link;
  readonly #names: Names;
  readonly #streams: TopicStreams;
  readonly #queues = new Map<string, Queue>();
  /** The known streams of topics, and since when they are known. */
  readonly #known = new Map<string, { readonly stream: TopicStream; readonly at: number }>();

  constructor(link: Link, names: Names, streams: TopicStreams) {
    this.#link = link;
    this.#names = names;
    this.#streams = streams;
    link.onRestored(() => {
      this.#known.clear();
      streams.forgetIds();
    });
  }

  publish(batch: readonly Publication[]): Promise<readonly PublishResult[]> {
    return new Promise((resolve, reject) => {
      const results = new Array<PublishResult>(batch.length);
      let missing = batch.length;
      if (missing === 0) resolve(results);
      const deadline = deadlineFromNow();
      const touched = new Set<Queue>();
      for (const [index, publication] of batch.entries()) {
        const settle = (result: PublishResult): void => {
          results[index] = result;
          if (--missing > 0) return;
          const failure = commonFailure(results);
          if (failure === null) resolve(results);
          else reject(failure);
        };
        const queue = this.#queueOf(publication.topic);
        queue.waiting.push({ publication, deadline, settle });
        touched.add(queue);
      }
      for (const queue of touched) if (!queue.isRunning) void this.#run(queue);
    });
  }

  async #run(queue: Queue): Promise<void> {
    queue.isRunning = true;
    while (queue.waiting.length > 0) {
      let batch: readonly Waiting[] = queue.waiting.splice(0, take(queue.waiting));
      // No stream received these messages, because theirs is gone: send them again.
      while (batch.length > 0) batch = await this.#send(queue, batch);
    }
    queue.isRunning = false;
    this.#queues.delete(queue.topic);
  }

  /** Resolves with the messages to send again. */
  async #send(queue: Queue, batch: readonly Waiting[]): Promise<readonly Waiting[]> {
    const now = runningTime();
    const timely = batch.filter(({ deadline }) => deadline > now);
    for (const late of batch) if (late.deadline <= now) late.settle(noConnection());
    const [first] = timely;
    if (first === undefined) return [];
    let stream: TopicStream | null;
    try {
      await this.#link.ready(first.deadline);
      stream = await this.#prepare(queue, timely, first.deadline);
    } catch (error) {
      const failure = toEngineError(error, "unsent");
      // None of the messages has been sent yet.
      const unsent = new EngineUnavailableError(reasonOf(failure), "unsent", failure.cause ?? failure);
      for (const { settle } of timely) settle(unsent);
      return [];
    }
    const hasIds = timely.some(({ publication: { id, history } }) => id !== null && history === null);
    const isPlain = !hasIds && timely.some(({ publication }) => publication.history === null);
    const sent = timely.map((one) => this.#sendOne(queue, one, stream, hasIds));
    const flushed = isPlain
      ? this.#link.flush(first.deadline).then(nothing, (error: unknown) => toEngineError(error))
      : null;
    const again: Waiting[] = [];
    const results = await Promise.all(sent);
    const flushFailure = (await flushed) ?? null;
    results.forEach((result, index) => {
      const one = timely[index];
      if (one === undefined) return;
      if (result === "gone") again.push(one);
      else if (result === "plain") one.settle(flushFailure ?? WITHOUT_HISTORY);
      else one.settle(result);
    });
    if (again.length > 0) {
      this.#known.delete(queue.topic);
      this.#streams.forgetIds();
    }
    return again;
  }

  async #prepare(queue: Queue, batch: readonly Waiting[], deadline: number): Promise<TopicStream | null> {
    if (batch.some(({ publication: { id, history } }) => id !== null && history === null)) {
      await this.#streams.ensureIds(deadline);
    }
    const limits =
      batch.findLast(({ publication }) => publication.history !== null)?.publication.history ?? null;
    if (limits === null) return null;
    const now = performance.now();
    const known = this.#known.get(queue.topic);
    if (known !== undefined && isSame(known.stream.limits, limits) && now - known.at < CHECK_INTERVAL)
      return known.stream;
    const stream = await this.#streams.ensure(queue.topic, limits, deadline);
    this.#known.set(queue.topic, { stream, at: now });
    return stream;
  }

  /** Sends at once, in call order. */
  async #sendOne(
    { hash }: Queue,
    { publication, deadline }: Waiting,
    stream: TopicStream | null,
    hasIds: boolean,
  ): Promise<PublishResult | "gone" | "plain"> {
    const { data, id, history, compress } = publication;
    const frame = encodeFrame(data, compress);
    const problem = tooBig("a message", frame.length - 1, this.#link.maxPayload, 1);
    if (problem !== null) return problem;
    try {
      if (history === null && !hasIds) {
        this.#link.connection.publish(`${this.#names.delivered(hash)}.n`, frame);
        return "plain";
      }
      // A message with an id goes through a stream, and so must all others of the turn, or they would overtake it.
      const subject =
        history === null ? this.#names.withId(hash) : this.#names.stored(hash, stream?.token ?? "");
      const { data: reply } = await this.#link.request(subject, frame, headersOf(hash, id), deadline);
      const { seq, duplicate, error } = JSON.parse(Buffer.from(reply).toString()) as Ack;
      if (error !== undefined) return toEngineError(new JetStreamApiError(error), "unsent");
      const isDuplicate = duplicate === true;
      if (history === null) return { ...WITHOUT_HISTORY, isDuplicate };
      if (seq === undefined) return noReply();
      return { offset: seq, epoch: this.#streams.epochOf(stream?.token ?? ""), isDuplicate };
    } catch (error) {
      return isNoResponders(error) ? "gone" : toEngineError(error);
    }
  }

  #queueOf(topic: string): Queue {
    let queue = this.#queues.get(topic);
    if (queue === undefined) {
      queue = { topic, hash: hashOf(topic), waiting: [], isRunning: false };
      this.#queues.set(topic, queue);
    }
    return queue;
  }
}

/** The number of messages to send together: all with history or all without, as the others would overtake these. */
function take(waiting: readonly Waiting[]): number {
  const isPlain = waiting[0]?.publication.history === null;
  const end = waiting.findIndex(({ publication }) => (publication.history === null) !== isPlain);
  return Math.min(end < 0 ? waiting.length : end, MAX_BATCH);
}

/** The confirmation of JetStream. */
interface Ack {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: ApiError;
}

const WITHOUT_HISTORY: Published = { offset: null, epoch: null, isDuplicate: false };

/** A header cannot hold all characters of an id. */
function headersOf(hash: string, id: string | null): MsgHdrs | null {
  if (id === null) return null;
  const result = newHeaders();
  result.set("Nats-Msg-Id", `${hash}${hashOf(id)}`);
  return result;
}

/** The message of an error, without its advice. */
function reasonOf({ message }: Error): string {
  return message.replace(/ (Nothing was sent|It may have been carried out)[\s\S]*$/, "");
}

/** An error that applies to all messages; null if there is none. */
function commonFailure(results: readonly PublishResult[]): EngineUnavailableError | null {
  const [first] = results;
  if (!(first instanceof EngineUnavailableError)) return null;
  const isCommon = results.every(
    (result) => result instanceof EngineUnavailableError && result.outcome === first.outcome,
  );
  return isCommon ? first : null;
}

function nothing(): null {
  return null;
}
