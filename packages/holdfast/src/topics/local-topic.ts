// A topic with receivers in this process: one subscription of the engine serves all of them.

/* eslint max-lines: ["warn", { "max": 260, "skipBlankLines": true, "skipComments": true }] -- One state machine: receivers change between live, lagging and ahead. */

import { quietly } from "../shared/deferred.js";
import { TOO_SLOW } from "../connection/sending/slow-policy.js";
import { positionAfterGap } from "./engine/page.js";
import { LiveReceivers } from "./live-receivers.js";
import type { Joined, LocalTopicHandler } from "./local-topic-handler.js";
import { pause } from "./pause.js";
import { isAtOrBehind, isSame, type Position } from "./position.js";
import type { Receiver } from "./receiver.js";
import { placeOf, Sequencer, type SequencerHandler } from "./sequencer.js";
import { TopicFrames } from "./topic-frames.js";
import { escapeTopic } from "./topic-name.js";
import type { TopicMessage } from "./topic-event.js";
import { TopicReports } from "./topic-reports.js";

/** The number of messages that are read at a time. */
const PAGE = 128;
/** Milliseconds until a read is repeated that failed or returned nothing new. */
const RETRY_DELAY = 500;

export class LocalTopic implements SequencerHandler {
  readonly name: string;
  readonly escapedName: string;
  /** Resolves once the engine reports all new messages; rejects if it cannot. */
  readonly listening: Promise<void>;
  /** The number of messages that were passed to receivers. */
  sent = 0;
  readonly #handler: LocalTopicHandler;
  readonly #reports: TopicReports;
  #sequencer: Sequencer | null = null;
  /** Messages reported before the engine had begun to listen. */
  #heldReports: TopicMessage[] = [];
  /** Receivers that get each message when it arrives. */
  readonly #live = new LiveReceivers();
  /** Slow receivers with the policy "skip", which wait for room. */
  readonly #lagging = new Set<Receiver>();
  /** Receivers that have read further than the topic's own sequence. */
  readonly #ahead = new Set<Receiver>();
  /** The number of receivers in any state. */
  #receivers = 0;
  #isClosed = false;

  constructor(name: string, handler: LocalTopicHandler) {
    this.name = name;
    this.escapedName = escapeTopic(name);
    this.#handler = handler;
    this.#reports = new TopicReports(name, handler.observer);
    this.listening = handler.health
      .watch(handler.engine.listen(name, this.#onReport, this.#onNewest, handler.history !== null))
      .then((position) => this.#onListening(position));
    void quietly(this.listening); // Subscribers get the error.
  }

  get isUnused(): boolean {
    return this.#receivers === 0;
  }

  get position(): Position | null {
    return this.#sequencer?.position ?? null;
  }

  /** Counts a receiver that is about to join, so that the topic stays. */
  reserve(): void {
    this.#receivers++;
  }

  /**
   * Starts to send messages to a receiver, or starts again: first the messages after `since` if it is given, then each
   * new one. Calls `onJoined` before the first of them.
   */
  async join(receiver: Receiver, since: Position | null, onJoined: (joined: Joined) => void): Promise<void> {
    if (since === null) {
      onJoined({ recovered: false, position: this.position });
      this.#live.add(receiver);
      return;
    }
    // Meanwhile, a receiver goes on as before: if the read fails, it stays as it was.
    const page = await this.#handler.health.watch(this.#handler.engine.read(this.name, since, 1));
    if (receiver.isGone || receiver.core.state !== "open") {
      onJoined({ recovered: false, position: null });
      return;
    }
    this.#takeOut(receiver);
    const { newest, isComplete } = page;
    const missed = newest === null ? 0 : newest.offset - since.offset;
    const recovered = isComplete && missed <= this.#handler.maxRecovery;
    receiver.position = recovered ? since : positionAfterGap(page, this.#handler.maxRecovery);
    onJoined({ recovered, position: receiver.position });
    if (!recovered) this.#handler.onGap(receiver, this.name, since, receiver.position);
    this.#settle(receiver);
  }

  /** The receiver gets no more messages. */
  leave(receiver: Receiver): void {
    if (receiver.isGone) return;
    receiver.isGone = true;
    this.#takeOut(receiver);
    this.#receivers--;
  }

  /** The position that the next message of a receiver follows. */
  positionOf(receiver: Receiver): Position | null {
    return this.#live.has(receiver) ? this.position : receiver.position;
  }

  close(): void {
    this.#isClosed = true;
    this.#handler.engine.ignore(this.name, this.#onReport);
  }

  // SequencerHandler

  onMessage(message: TopicMessage): void {
    this.sent++;
    if (this.#lagging.size > 0) this.#resumeLagging(placeOf(message));
    const frames = new TopicFrames(this.#handler.runtime, message, this.escapedName, this.#live.hasSeveral);
    const isObserved = this.#reports.wantsDeliveries;
    let receivers = isObserved ? this.#live.size : 0;
    this.#live.send(frames, (receiver) => {
      receivers--;
      this.#onSlow(receiver, message);
    });
    if (isObserved) this.#reports.onDelivered(message, receivers);
    if (this.#ahead.size > 0) this.#settleAhead();
  }

  onGap(after: Position | null, position: Position | null): void {
    this.#live.forEach((receiver) => this.#reportGap(receiver, after, position));
    // Slow ones are notified when they have room.
    for (const receiver of this.#lagging) this.#handler.onGap(receiver, this.name, after, position);
    this.#settleAhead();
  }

  onEpoch(position: Position): void {
    this.#live.forEach((receiver) => receiver.sendPosition(position));
  }

  onWanted(after: Position): void {
    void this.#read(after);
  }

  readonly #onReport = (message: TopicMessage): void => {
    if (this.#sequencer === null) this.#heldReports.push(message);
    else if (!this.#isClosed) this.#sequencer.push(message);
  };

  readonly #onNewest = (newest: Position | null): void => {
    if (!this.#isClosed) this.#sequencer?.onNewest(newest);
  };

  #onListening(position: Position | null): void {
    this.#sequencer = new Sequencer(this, position);
    const reports = this.#heldReports;
    this.#heldReports = [];
    for (const message of reports) this.#sequencer.push(message);
  }

  async #read(after: Position): Promise<void> {
    while (!this.#isClosed) {
      try {
        const page = await this.#handler.engine.read(this.name, after, PAGE);
        const hasNewMessages = page.messages.length > 0 || !page.isComplete;
        // The report arrived before the history had the message.
        if (!hasNewMessages) await pause(this.#handler.runtime, RETRY_DELAY / 5);
        this.#handler.health.onSuccess();
        this.#sequencer?.onPage(page);
        this.#reports.onRead(null, this.position, page.newest);
        return;
      } catch (error) {
        this.#handler.onRetry(this.name, "history", error, RETRY_DELAY);
        await pause(this.#handler.runtime, RETRY_DELAY);
      }
    }
  }

  #onSlow(receiver: Receiver, message: TopicMessage): void {
    const { slow } = receiver.settings;
    this.#reports.onSlow(receiver);
    const place = placeOf(message);
    if (slow === "buffer" || slow === "close") {
      receiver.core.closeWithCause("local-close", TOO_SLOW, null, true);
    } else if (slow === "catch-up" && place !== null) {
      this.#live.delete(receiver);
      receiver.position = { epoch: place.epoch, offset: place.offset - 1 };
      void this.#catchUp(receiver, message);
    } else {
      this.#skip(receiver, place);
    }
  }

  /** The receiver misses the message, and later ones until it has room. */
  #skip(receiver: Receiver, place: Position | null): void {
    this.#live.delete(receiver);
    this.#lagging.add(receiver);
    receiver.position = place;
    const after = place === null ? null : { epoch: place.epoch, offset: place.offset - 1 };
    this.#handler.onGap(receiver, this.name, after, place);
    const { run } = receiver;
    // The topic's last messages may be among the skipped ones: then no later message reveals the gap.
    void receiver.sendGap(place).then(() => {
      if (receiver.isCurrent(run) && receiver.isLink) this.#rejoin(receiver, this.position);
    });
  }

  /** Resumes receivers that have room again, before the message at this place. The others miss it, too. */
  #resumeLagging(place: Position | null): void {
    const before = place === null ? this.position : { epoch: place.epoch, offset: place.offset - 1 };
    for (const receiver of this.#lagging) {
      const { core, settings } = receiver;
      if (core.state !== "open") continue;
      if (core.hasRoom(settings.limit)) this.#rejoin(receiver, before);
      else if (place !== null) this.#handler.onGap(receiver, this.name, before, place);
    }
  }

  #rejoin(receiver: Receiver, position: Position | null): void {
    if (!this.#lagging.delete(receiver)) return;
    if (!isSame(receiver.position, position)) void receiver.sendGap(position);
    this.#live.add(receiver);
  }

  /** Sends a slow receiver this message, and then the following ones from the history, as fast as it receives them. */
  async #catchUp(receiver: Receiver, first: TopicMessage | null): Promise<void> {
    const run = ++receiver.run;
    try {
      if (first !== null) await this.#sendSlowly(receiver, first);
      while (receiver.isCurrent(run) && !this.#isClosed && !this.#isInStep(receiver)) {
        if (receiver.position === null) {
          // The history was lost and has started again. The gap has already been reported.
          receiver.position = this.position;
          receiver.sendPosition(this.position);
        } else {
          await this.#sendPage(receiver, run, receiver.position);
        }
      }
    } catch (error) {
      if (receiver.core.state !== "open") return; // It has ended, and is removed elsewhere.
      this.#handler.onRetry(this.name, "history", error, RETRY_DELAY);
      await pause(this.#handler.runtime, RETRY_DELAY);
      if (receiver.isCurrent(run)) void this.#catchUp(receiver, null);
      return;
    }
    if (!receiver.isCurrent(run)) return;
    this.#reports.onRead(receiver, receiver.position, receiver.position);
    this.#place(receiver);
  }

  async #sendPage(receiver: Receiver, run: number, after: Position): Promise<void> {
    const page = await this.#handler.engine.read(this.name, after, PAGE);
    if (!receiver.isCurrent(run)) return;
    this.#handler.health.onSuccess();
    this.#reports.onRead(receiver, after, page.newest);
    if (page.newest !== null) this.#sequencer?.onNewest(page.newest);
    if (!page.isComplete) {
      receiver.position = positionAfterGap(page, Infinity);
      this.#reportGap(receiver, after, receiver.position);
    }
    if (page.messages.length === 0) {
      receiver.position = page.newest;
      // The topic's sequence is ahead of the history.
      if (page.isComplete) await pause(this.#handler.runtime, RETRY_DELAY / 5);
      return;
    }
    for (const message of page.messages) {
      receiver.position = placeOf(message);
      if (receiver.core.hasRoom(receiver.settings.limit)) void this.#sendSlowly(receiver, message);
      // Read the rest of the page again later: a waiting receiver must not keep it in memory.
      else return this.#sendSlowly(receiver, message);
    }
  }

  /** Sends one message to one receiver; resolves when it has room for more. Keeps no shared frame in memory. */
  #sendSlowly(receiver: Receiver, message: TopicMessage): Promise<void> {
    receiver.position = placeOf(message);
    const frames = new TopicFrames(this.#handler.runtime, message, this.escapedName, false);
    if (this.#reports.wantsDeliveries) this.#reports.onDelivered(message, 1);
    // It rejects when the connection ends, which also removes the receiver.
    return quietly(frames.send(receiver.core, receiver.isLink));
  }

  /** Whether the receiver has read everything that the topic's sequence has released. */
  #isInStep(receiver: Receiver): boolean {
    return isAtOrBehind(this.position, receiver.position);
  }

  #settle(receiver: Receiver): void {
    if (this.#isInStep(receiver)) this.#place(receiver);
    else void this.#catchUp(receiver, null);
  }

  #place(receiver: Receiver): void {
    if (isSame(this.position, receiver.position)) this.#live.add(receiver);
    else this.#ahead.add(receiver);
  }

  #settleAhead(): void {
    for (const receiver of this.#ahead) {
      if (this.#isInStep(receiver) && !isSame(this.position, receiver.position)) continue;
      this.#ahead.delete(receiver);
      this.#settle(receiver);
    }
  }

  #reportGap(receiver: Receiver, after: Position | null, position: Position | null): void {
    void receiver.sendGap(position);
    this.#handler.onGap(receiver, this.name, after, position);
  }

  #takeOut(receiver: Receiver): void {
    receiver.run++;
    this.#live.delete(receiver);
    this.#lagging.delete(receiver);
    this.#ahead.delete(receiver);
  }
}
