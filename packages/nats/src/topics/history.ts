// Reads the history of a topic: one request per message, many at a time. (Batched reads need nats-server 2.11.)

import type { StoredMsg } from "@nats-io/jetstream";
import { DUPLICATE_WINDOW, type Page, type Position, type TopicMessage } from "holdfast/topics";
import { deadlineFromNow } from "../connection/deadline.js";
import { readFromLeader } from "../connection/leader.js";
import type { Link } from "../connection/link.js";
import { hashOf, type Names } from "../connection/names.js";
import { decodeFrame } from "./message-frame.js";
import type { TopicStream, TopicStreams } from "./topic-streams.js";

/** The number of concurrent requests. */
const WINDOW = 256;

export class History {
  readonly #link: Link;
  readonly #names: Names;
  readonly #streams: TopicStreams;

  constructor(link: Link, names: Names, streams: TopicStreams) {
    this.#link = link;
    this.#names = names;
    this.#streams = streams;
  }

  async read(topic: string, after: Position, limit: number): Promise<Page> {
    const stream = await this.#streams.find(topic);
    if (stream === null) return { messages: [], isComplete: false, newest: null };
    const newest = this.#streams.newestOf(stream);
    const first = Math.max(stream.first, stream.last - stream.limits.messages + 1, 1);
    const isSame = after.epoch === newest.epoch && after.offset <= newest.offset;
    // The server has restarted. It may have lost the newest messages and reused their numbers; the earlier ones are
    // unchanged.
    const isContinued = after.epoch.split(".").at(0) === stream.token && after.offset <= newest.offset;
    const isEarlier = !isSame && isContinued && after.epoch !== newest.epoch;
    const start = isSame || isEarlier ? Math.max(after.offset + 1, first) : first;
    const { messages, hasHole } = await this.#messages(topic, stream, newest.epoch, start, limit);
    const begin = messages.at(0)?.offset ?? newest.offset + 1;
    const isComplete = isSame && !hasHole && begin === after.offset + 1;
    return { messages, isComplete, newest };
  }

  async #messages(
    topic: string,
    stream: TopicStream,
    epoch: string,
    start: number,
    limit: number,
  ): Promise<{ messages: readonly TopicMessage[]; hasHole: boolean }> {
    const name = this.#names.stream(hashOf(topic));
    const deadline = deadlineFromNow();
    let messages: TopicMessage[] = [];
    let hasHole = false;
    for (let next = start; next <= stream.last && messages.length < limit; next += WINDOW) {
      const count = Math.min(WINDOW, stream.last - next + 1, limit - messages.length);
      const stored = await this.#link.jetStream(
        (manager) =>
          Promise.all(
            Array.from({ length: count }, async (_, index) => {
              const query = { seq: next + index };
              return (
                (await manager.direct.getMessage(name, query)) ?? (await readFromLeader(manager, name, query))
              );
            }),
          ),
        deadline,
      );
      for (const [index, one] of stored.entries()) {
        const message =
          one === null || isOld(one, stream)
            ? null
            : decodeFrame(topic, one.data, { epoch, offset: next + index });
        if (message !== null) messages.push(message);
        else {
          // This message was trimmed meanwhile, is too old, or was deleted by hand: the page starts after it.
          hasHole = true;
          messages = [];
        }
      }
    }
    return { messages, hasHole };
  }
}

/** The server itself removes messages older than two minutes. */
function isOld({ timestamp }: StoredMsg, { limits }: TopicStream): boolean {
  return limits.age < DUPLICATE_WINDOW && Date.now() - Date.parse(timestamp) >= limits.age;
}
