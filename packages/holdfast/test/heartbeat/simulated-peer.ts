// Runs a heartbeat on the fake clock as a connection does, with a scripted peer at the other end. All actions are recorded
// in a timeline of `time action` lines, which a test compares as a whole.

import { AdaptiveDetection } from "../../build/heartbeat/adaptive-detection.js";
import { FakeClock } from "holdfast-testkit";
import { Heartbeat } from "../../build/heartbeat/heartbeat.js";
import type { Action, HeartbeatSettings, Observation } from "../../build/heartbeat/signals.js";
import type { Peer } from "./peers.js";

interface Arrival {
  readonly payload: string;
  readonly arrivesAt: number;
  readonly cancel: () => void;
}

export class Simulation {
  readonly clock = new FakeClock();
  readonly heartbeat: Heartbeat;
  readonly timeline: string[] = [];
  /** Payloads in the order in which they were queued. */
  readonly queued: string[] = [];
  peer: Peer;
  /** How many pings were abandoned before they were sent. */
  withdrawn = 0;
  wakes = 0;
  /** Observations of a timer or a poll after which the next wake was already due: a busy loop. */
  wakesInVain = 0;
  isOver = false;
  isPaused = false;
  lastReceivedAt = 0;
  /** Bytes that were handed to the socket. */
  bytesSent = 0;
  #isBlocked = false;
  #keepalives = 0;
  #outbox: string[] = [];
  #kernel: (string | null)[] = [];
  #arrivals: Arrival[] = [];
  #isReadPlanned = false;
  #cancelTimer: (() => void) | null = null;

  constructor(options: Partial<HeartbeatSettings>, peer: Peer) {
    this.heartbeat = new Heartbeat({
      pingInterval: 20_000,
      pingTimeout: 20_000,
      liveness: "pong",
      adaptive: AdaptiveDetection,
      ...options,
    });
    this.peer = peer;
  }

  /** The handshake is over. */
  open(): this {
    this.observe({ type: "opened", wallNow: this.clock.wallNow() });
    return this;
  }

  advance(ms: number): this {
    this.clock.advance(ms);
    return this;
  }

  /** Our event loop is blocked; the kernel and the peer continue. */
  stall(ms: number): this {
    this.clock.stall(ms);
    return this;
  }

  /** The same within a callback of the poll: data in the kernel is read before any timer runs. */
  stallInPoll(ms: number): this {
    this.clock.atPoll(() => {
      this.clock.stall(ms);
      this.#kernel.push(...this.#takeArrived());
      this.#read();
    });
    this.clock.turn();
    return this.advance(0);
  }

  /** The machine sleeps, and so does the network; monotonic time stops too (`"wall"`) or continues. */
  sleep(ms: number, clocks: "wall" | "monotonic" | "both"): this {
    for (const arrival of clocks === "wall" ? [] : this.#arrivals.splice(0)) {
      arrival.cancel();
      this.#arriveAt(arrival.arrivesAt + ms, arrival.payload);
    }
    if (clocks === "wall") this.clock.suspend(ms);
    else if (clocks === "both") this.clock.stall(ms);
    else this.clock.jumpMonotonic(ms);
    return this;
  }

  /** Our inbox is full. */
  pause(): this {
    this.isPaused = true;
    this.observe({ type: "reading-paused" });
    return this;
  }

  resume(): this {
    this.isPaused = false;
    this.observe({ type: "reading-resumed" });
    this.#planRead();
    return this;
  }

  /** The socket accepts no more data: pings are queued and not sent. */
  block(): this {
    this.#isBlocked = true;
    return this;
  }

  drain(): this {
    this.#isBlocked = false;
    this.#flush();
    return this;
  }

  /** A ping of the application, with or without a timeout. */
  ping(payload: string, timeout: number | null = null): this {
    this.#queue(payload, false, timeout);
    return this;
  }

  abandon(payload: string): this {
    if (this.#outbox.includes(payload)) this.withdrawn++;
    this.#outbox = this.#outbox.filter((waiting) => waiting !== payload);
    this.observe({ type: "ping-abandoned", payload });
    return this;
  }

  /** The application sends a message of this size. */
  send(bytes = 100): this {
    this.bytesSent += bytes;
    if (this.heartbeat.isQuiet) this.observe({ type: "traffic" });
    return this;
  }

  /** The application sends a small message every second. */
  chat(ms: number): this {
    for (let passed = 0; passed < ms; passed += 1000) this.send().advance(Math.min(1000, ms - passed));
    return this;
  }

  /** The peer sends data other than a pong; it arrives now. */
  receiveData(): this {
    this.#kernel.push(null);
    this.#planRead();
    return this;
  }

  /** The peer sends an unsolicited pong; it arrives now. */
  receivePong(payload: string): this {
    this.#kernel.push(payload);
    this.#planRead();
    return this;
  }

  close(): this {
    this.observe({ type: "closing" });
    return this;
  }

  end(): this {
    this.isOver = true;
    for (const arrival of this.#arrivals.splice(0)) arrival.cancel();
    this.observe({ type: "ended" });
    return this;
  }

  observe(observation: Observation): readonly Action[] {
    const actions = this.heartbeat.observe(this.clock.now(), observation);
    for (const action of actions) this.#perform(action);
    const wake = this.heartbeat.nextWake;
    if (observation.type === "wake" || observation.type === "polled") {
      if (wake !== null && wake <= this.clock.now()) this.wakesInVain++;
    }
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (wake !== null) {
      const delay = Math.max(0, wake - this.clock.now());
      this.#cancelTimer = this.clock.setTimer(delay, () => this.#observeTimes("wake"));
    }
    return actions;
  }

  #observeTimes(type: "wake" | "polled"): void {
    if (type === "wake") this.wakes++;
    this.observe({ type, wallNow: this.clock.wallNow(), lastReceivedAt: this.lastReceivedAt });
  }

  #perform(action: Action): void {
    switch (action.type) {
      case "send-ping":
        this.#queue(`k${++this.#keepalives}`, true);
        break;
      case "poll":
        this.#note("poll");
        this.clock.afterPoll(() => this.#observeTimes("polled"));
        break;
      case "answered":
        this.#note(`answered ${action.payload} after ${action.elapsed}`);
        break;
      case "pong-unmatched":
        this.#note("life");
        return;
      case "expired":
        this.#outbox = this.#outbox.filter((waiting) => waiting !== action.payload);
        this.#note(`expired ${action.payload}`);
        break;
      case "overdue":
        this.#note(`overdue ${action.payload}, ${action.elapsed} of ${action.expected}`);
        break;
      case "suspended":
        this.#note(`suspended ${action.gap}`);
        break;
      case "suspect": {
        const { silence, expected, level } = action;
        this.#note(`suspect, silent for ${silence} of ${expected}, level ${level.toFixed(2)}`);
        break;
      }
      case "dead":
        this.#note(`dead, silent for ${action.silence}`);
        this.close();
        this.clock.atTurnEnd(() => void this.end());
        break;
    }
  }

  #note(what: string): void {
    this.timeline.push(`${this.clock.now()} ${what}`);
  }

  #queue(payload: string, isKeepalive: boolean, timeout: number | null = null): void {
    this.#note(`ping ${payload}`);
    this.queued.push(payload);
    this.observe(
      isKeepalive
        ? { type: "ping-queued", payload, isKeepalive }
        : { type: "ping-queued", payload, isKeepalive, timeout },
    );
    this.#outbox.push(payload);
    this.clock.atTurnEnd(() => this.#flush());
  }

  #flush(): void {
    if (this.#isBlocked || this.isOver) return;
    for (const payload of this.#outbox.splice(0)) {
      this.observe({ type: "ping-sent", payload, bytesSent: this.bytesSent });
      const sentAt = this.clock.now();
      this.peer({ payload, sentAt }, (delay, other = payload) => this.#arriveAt(sentAt + delay, other));
    }
  }

  #arriveAt(arrivesAt: number, payload: string): void {
    const cancel = this.clock.setTimer(arrivesAt - this.clock.now(), () => {
      this.#kernel.push(...this.#takeArrived());
      this.#planRead();
    });
    this.#arrivals.push({ payload, arrivesAt, cancel });
  }

  #takeArrived(): string[] {
    const now = this.clock.now();
    const arrived = this.#arrivals.filter(({ arrivesAt }) => arrivesAt <= now);
    this.#arrivals = this.#arrivals.filter(({ arrivesAt }) => arrivesAt > now);
    for (const { cancel } of arrived) cancel();
    return arrived.sort((one, other) => one.arrivesAt - other.arrivesAt).map(({ payload }) => payload);
  }

  #planRead(): void {
    if (this.#isReadPlanned || this.isOver) return;
    this.#isReadPlanned = true;
    this.clock.atPoll(() => this.#read());
  }

  #read(): void {
    this.#isReadPlanned = false;
    if (this.isPaused) return;
    for (const payload of this.#kernel.splice(0)) {
      this.lastReceivedAt = this.clock.now();
      if (payload !== null && !this.isOver) this.observe({ type: "pong", payload });
    }
  }
}
