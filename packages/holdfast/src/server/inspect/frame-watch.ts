// Watches the frames of one connection for a limited time. The viewer fetches them with its snapshots, so that a busy
// connection cannot flood the viewer.

import type { Connection } from "../../connection/connection.js";
import { coreOf } from "../../connection/core-of.js";
import { Alarm } from "../../connection/timer-queue.js";
import type { FrameObserver } from "../../connection/message-transport.js";
import type { Runtime } from "../../connection/runtime.js";
import type { ObservedFrame } from "../../shared/observed-frame.js";
import { frameRow } from "./frame-text.js";
import type { FrameRow, WatchedFrames } from "./wire.js";

/** Milliseconds. */
export const WATCH_TIME = 30_000;
/** Milliseconds after its end in which the viewer can still fetch the last frames. */
const KEPT_FOR = 10_000;
/** Frames that wait for the viewer. */
const MOST_FRAMES = 100;

export class FrameWatch implements FrameObserver {
  readonly #connection: Connection;
  readonly #runtime: Runtime;
  readonly #showsPayloads: boolean;
  readonly #until: number;
  readonly #alarm = new Alarm({ onAlarm: () => this.#detach() });
  #frames: FrameRow[] = [];
  #dropped = 0;
  #isOver = false;

  constructor(connection: Connection, runtime: Runtime, showsPayloads: boolean) {
    this.#connection = connection;
    this.#runtime = runtime;
    this.#showsPayloads = showsPayloads;
    this.#until = runtime.clock.now() + WATCH_TIME;
    runtime.timers.set(this.#alarm, this.#until);
    coreOf(connection).watchFrames(this);
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** Whether the viewer has left without fetching the last frames. */
  get isAbandoned(): boolean {
    return this.#isOver && this.#runtime.clock.now() > this.#until + KEPT_FOR;
  }

  onFrameSent(frame: ObservedFrame): void {
    this.#add(frame, "sent");
  }

  onFrameReceived(frame: ObservedFrame): void {
    this.#add(frame, "received");
  }

  /** The frames since the last call. */
  take(): WatchedFrames {
    const [frames, dropped] = [this.#frames, this.#dropped];
    this.#frames = [];
    this.#dropped = 0;
    const left = this.#isOver ? 0 : Math.max(0, this.#until - this.#runtime.clock.now());
    return { connection: this.#connection.id, left: Math.round(left), dropped, frames };
  }

  end(): void {
    this.#runtime.timers.cancel(this.#alarm);
    this.#detach();
  }

  #add(frame: ObservedFrame, direction: FrameRow["direction"]): void {
    if (this.#isOver) return; // Another viewer's watch of this connection has ended.
    if (this.#frames.length >= MOST_FRAMES) {
      this.#dropped++;
      return;
    }
    this.#frames.push(frameRow(frame, direction, this.#runtime.clock.wallNow(), this.#showsPayloads));
  }

  #detach(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    coreOf(this.#connection).watchFrames(null);
  }
}
