// Puts the messages of one topic in order: each once, without holes, or with a reported gap. The reports of an engine
// are hints: they may be missing, repeated, out of order, or of an epoch that has ended. Missing messages are read from
// the history. Pure: it has no engine, clock or promise.

import { isAtOrBehind, type Position } from "./position.js";
import type { Page } from "./engine/engine.js";
import type { TopicMessage } from "./topic-event.js";

export interface SequencerHandler {
  /** The next message. */
  onMessage(message: TopicMessage): void;
  /** Messages between `after` and `position` are missing. */
  onGap(after: Position | null, position: Position | null): void;
  /** The topic has started its first epoch: nothing is missing. */
  onEpoch(position: Position): void;
  /** Reads a page after this position, and passes it to `onPage`. One read at a time; a failed read is repeated. */
  onWanted(after: Position): void;
}

/** Bytes of the messages that may wait for earlier ones. Beyond that, messages are dropped and read again later. */
const MAX_HELD = 1024 * 1024;

export class Sequencer {
  readonly #handler: SequencerHandler;
  #position: Position | null;
  /** Later messages that wait, in the order of arrival. */
  #held: TopicMessage[] = [];
  #heldBytes = 0;
  /** The number of waiting messages when the current read began. Its page knows their epochs. */
  #heldBefore = 0;
  #isReading = false;
  /** The epoch in which the current read began. */
  #readEpoch = "";
  #hasReportedGap = false;
  /** The history was lost, and no other is known. Only a page can show whether a report belongs to a new one. */
  #hasLostHistory = false;
  /** Something newer than the page being read is known to exist. */
  #mustReadAgain = false;

  /** @param position the newest position when listening began; null if the topic had no history */
  constructor(handler: SequencerHandler, position: Position | null) {
    this.#handler = handler;
    this.#position = position;
  }

  /** The position of the last message that was delivered; null before the first with history. */
  get position(): Position | null {
    return this.#position;
  }

  push(message: TopicMessage): void {
    const place = placeOf(message);
    if (place === null) this.#handler.onMessage(message);
    else if (this.#follows(place)) {
      this.#pass(message, place);
      this.#release();
    } else if (!isAtOrBehind(place, this.#position)) {
      this.#hold(message);
      this.#read(this.#position ?? { epoch: place.epoch, offset: 0 });
    }
  }

  /** The engine found the newest position in another way; null: messages without history may have been lost. */
  onNewest(newest: Position | null): void {
    const position = this.#position;
    if (newest === null) this.#reportGap(position);
    else if (!isAtOrBehind(newest, position)) {
      this.#mustReadAgain = this.#isReading;
      this.#read(position ?? { epoch: newest.epoch, offset: 0 });
    }
  }

  /** The page that `onWanted` requested. */
  onPage(page: Page): void {
    this.#isReading = false;
    // The topic has started its first epoch since the read began, so the page may be outdated, and of another epoch.
    const isOld = this.#position !== null && this.#position.epoch !== this.#readEpoch;
    if (isOld) this.#mustReadAgain = true;
    else if (!page.isComplete) this.#onIncomplete(page);
    else if (this.#position === null && page.newest !== null) this.#begin(page.newest.epoch);
    for (const message of page.messages) {
      const place = placeOf(message);
      if (place !== null && this.#follows(place)) this.#pass(message, place);
    }
    this.#release();
    this.#forgetOtherEpochs();
    const isBehind = page.newest !== null && !isAtOrBehind(page.newest, this.#position);
    const next = this.#held.at(0);
    const mustRead = this.#mustReadAgain || isBehind || next !== undefined;
    this.#mustReadAgain = false;
    const after = this.#position ?? page.newest ?? (next === undefined ? null : placeOf(next));
    if (mustRead && after !== null) this.#read(this.#position ?? { epoch: after.epoch, offset: 0 });
  }

  #onIncomplete({ messages, newest }: Page): void {
    const oldest = messages.at(0);
    const first = oldest === undefined ? null : placeOf(oldest);
    const after = this.#position;
    // The read began in this epoch, and may be older than messages that arrived meanwhile.
    if (first === null ? isAtOrBehind(newest, after) && newest !== null : isAtOrBehind(first, after)) return;
    if (first !== null && this.#follows(first)) return;
    if (newest === null && after === null) return;
    this.#hasLostHistory = newest === null;
    this.#position = first === null ? newest : { epoch: first.epoch, offset: first.offset - 1 };
    this.#reportGap(after);
  }

  #reportGap(after: Position | null): void {
    this.#hasReportedGap = true;
    this.#handler.onGap(after, this.#position);
  }

  /** Whether the message at this place is the next one. */
  #follows({ epoch, offset }: Position): boolean {
    const position = this.#position;
    return position === null
      ? offset === 1 && !this.#hasLostHistory
      : epoch === position.epoch && offset === position.offset + 1;
  }

  #pass(message: TopicMessage, place: Position): void {
    if (this.#position === null) this.#begin(place.epoch);
    this.#position = place;
    this.#handler.onMessage(message);
  }

  #begin(epoch: string): void {
    this.#hasLostHistory = false;
    this.#position = { epoch, offset: 0 };
    this.#handler.onEpoch(this.#position);
  }

  #hold(message: TopicMessage): void {
    this.#held.push(message);
    this.#heldBytes += message.data.length;
    if (this.#heldBytes <= MAX_HELD) return;
    this.#setHeld([]);
    this.#mustReadAgain = true;
  }

  /** Delivers the messages whose turn has come, and drops those that were delivered before. */
  #release(): void {
    if (this.#held.length === 0) return;
    for (let hasPassed = true; hasPassed && this.#held.length > 0;) {
      hasPassed = false;
      for (const message of this.#held) {
        const place = placeOf(message);
        if (place === null || !this.#follows(place)) continue;
        this.#pass(message, place);
        hasPassed = true;
      }
    }
    const left = this.#held.filter((message) => !isAtOrBehind(placeOf(message), this.#position));
    if (left.length < this.#held.length) {
      const heldBefore = new Set(this.#held.slice(0, this.#heldBefore));
      this.#setHeld(left);
      this.#heldBefore = left.filter((message) => heldBefore.has(message)).length;
    }
  }

  /**
   * A page that was read after a message arrived, and is of another epoch, shows that the message's epoch has ended. If
   * no page of that epoch was seen, the message is missing.
   */
  #forgetOtherEpochs(): void {
    const position = this.#position;
    const left = this.#held.filter(
      (message, index) => message.epoch === position?.epoch || index >= this.#heldBefore,
    );
    if (left.length < this.#held.length && !this.#hasReportedGap) this.#reportGap(position);
    this.#setHeld(left);
    this.#heldBefore = 0;
  }

  #setHeld(held: TopicMessage[]): void {
    this.#held = held;
    this.#heldBytes = held.reduce((bytes, { data }) => bytes + data.length, 0);
  }

  #read(after: Position): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#readEpoch = after.epoch;
    this.#heldBefore = this.#held.length;
    this.#handler.onWanted(after);
  }
}

/** The position of a message; null without history. */
export function placeOf({ epoch, offset }: TopicMessage): Position | null {
  return epoch === null || offset === null ? null : { epoch, offset };
}
