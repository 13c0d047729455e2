// Adaptive detection: derives the deadline of each ping from the measured round trip, decides how often to ping, and
// reports a peer that is silent for suspiciously long. Fixed detection applies while it has too few samples.

import { slotsOf, type DetectionSettings } from "./detection-settings.js";
import { RoundTripEstimate } from "./round-trip-estimate.js";
import type { Ping, PingsInFlight } from "./pings-in-flight.js";
import type { PingGrid } from "./ping-grid.js";
import type { HeartbeatSettings } from "./signals.js";

/**
 * Bytes that may be on their way before a ping without delaying its pong noticeably. More than that may fill the
 * buffers of the kernel and of the network.
 */
const SMALL_BACKLOG = 64 * 1024;

/** Adaptive detection suspects the peer. */
export interface Suspicion {
  /** The part of the deadline that has passed, from 0 to 1: at 1 the peer would be declared dead. */
  readonly level: number;
  /** Milliseconds since a ping was sent that has no pong, or since the last byte arrived if that was later. */
  readonly silence: number;
  /** The longest silence that is usual on this link, in milliseconds. */
  readonly expected: number;
}

export class AdaptiveDetection {
  readonly #settings: DetectionSettings;
  /** Infinity if no ping is judged. */
  readonly #pingTimeout: number;
  readonly #estimate = new RoundTripEstimate();
  /** Whether no message was sent or received since the last ping. */
  #isQuiet = true;
  /** Null if there is no page, or none that reports it. */
  #isPageVisible: boolean | null = null;
  /** The number of grid slots from the last ping to the next one. */
  #slots: number;
  /** The peer is suspected since silence began at this time; -Infinity if it is not. */
  #silentSince = -Infinity;
  /** Silence before this time does not count. */
  #notBefore = -Infinity;
  /** Bytes that were sent before the newest ping that was answered: they have arrived. */
  #arrivedBytes = 0;
  /** The largest backlog after which a pong came lately. */
  #provenBacklog = 0;
  /** The deadline that led to the verdict; null before it. */
  #verdictAfter: number | null = null;

  constructor({ pingTimeout }: HeartbeatSettings, settings: DetectionSettings) {
    this.#settings = settings;
    this.#pingTimeout = pingTimeout ?? Infinity;
    this.#slots = this.#maxSlots;
  }

  // How often to ping.

  /** Whether `onTraffic` should be called for the next message. */
  get isQuiet(): boolean {
    return this.#isQuiet;
  }

  /** A message was sent or received. */
  onTraffic(now: number, grid: PingGrid | null): void {
    this.#isQuiet = false;
    if (this.#isPageVisible !== false) grid?.hurry(now);
  }

  onPageVisibility(isVisible: boolean, now: number, grid: PingGrid | null): void {
    this.#isPageVisible = isVisible;
    if (isVisible) grid?.hurry(now);
  }

  /** A ping is due now: returns the number of slots to the next one. */
  takeSlots(): number {
    const isBusy = this.#isPageVisible ?? !this.#isQuiet;
    this.#slots = isBusy ? 1 : Math.min(2 * this.#slots, this.#maxSlots);
    this.#isQuiet = true;
    return this.#slots;
  }

  /** The slots before the first ping of the grid. */
  get firstSlots(): number {
    return this.#isPageVisible === true || !this.#isQuiet ? 1 : this.#slots;
  }

  // How long a pong may take.

  /** A ping was handed to the socket after `bytesSent` bytes. It has the fixed deadline until now. */
  onSent(ping: Ping, bytesSent: number, now: number): void {
    ping.bytesBefore = bytesSent;
    if (ping.deadline === Infinity || !this.#estimate.isReady) return;
    // Our own data may fill a buffer that is far larger than any before. Pongs have not shown how long it takes to drain.
    const backlog = bytesSent - this.#arrivedBytes;
    if (backlog > Math.max(SMALL_BACKLOG, 2 * this.#provenBacklog)) return;
    ping.isAdaptive = true;
    ping.timeout = this.#deadAfter;
    ping.deadline = Math.min(ping.deadline, now + ping.timeout);
  }

  /** The pong of this ping arrived. `roundTrip` is null if our own process has delayed it. */
  onAnswered(ping: Ping, roundTrip: number | null): void {
    const backlog = ping.bytesBefore - this.#arrivedBytes;
    this.#provenBacklog = Math.max(backlog, Math.floor((this.#provenBacklog * 7) / 8));
    this.#arrivedBytes = ping.bytesBefore;
    if (roundTrip !== null) this.#estimate.add(roundTrip);
  }

  /** Our own process did not run: the network may be another one now. */
  forget(): void {
    this.#estimate.forget();
    this.trust();
  }

  /** We did not read until now. */
  ignoreSilenceBefore(now: number): void {
    this.#notBefore = now;
    this.trust();
  }

  /** The peer has shown that it is alive. */
  trust(): void {
    this.#silentSince = -Infinity;
  }

  /** When the peer becomes suspicious; Infinity if no ping waits, or if the peer is suspected already. */
  suspectAt(pings: PingsInFlight): number {
    const since = this.#silenceBegan(pings);
    return since === Infinity || since <= this.#silentSince ? Infinity : since + this.#estimate.suspectAfter;
  }

  /** The suspicion that arises now; null for none. */
  suspect(now: number, pings: PingsInFlight, grid: PingGrid | null): Suspicion | null {
    if (this.suspectAt(pings) > now) return null;
    this.#silentSince = this.#silenceBegan(pings);
    this.onTraffic(now, grid); // The next ping soon shows a peer that has answered.
    return this.#suspicion(now, this.#silentSince);
  }

  /** The suspicion that lasts; null for none. */
  currentSuspicion(now: number, pings: PingsInFlight): Suspicion | null {
    const since = this.#silenceBegan(pings);
    return since > this.#silentSince ? null : this.#suspicion(now, since);
  }

  onVerdict(ping: Ping): void {
    this.#verdictAfter = ping.timeout;
  }

  /** Milliseconds of silence after which the peer is suspected; null while fixed detection applies. */
  get suspectAfter(): number | null {
    return this.#estimate.isReady && this.#pingTimeout < Infinity ? this.#estimate.suspectAfter : null;
  }

  /** Milliseconds after which an unanswered ping means a dead peer; null for never. */
  get deadAfter(): number | null {
    if (this.#verdictAfter !== null || this.#pingTimeout === Infinity) return this.#verdictAfter;
    return this.#estimate.isReady ? this.#deadAfter : this.#pingTimeout;
  }

  #suspicion(now: number, since: number): Suspicion {
    const silence = now - since;
    return {
      level: Math.min(1, silence / (this.deadAfter ?? Infinity)),
      silence,
      expected: this.#estimate.suspectAfter,
    };
  }

  /** When the silence began that a ping has met; Infinity if none waits, or if fixed detection judges it. */
  #silenceBegan(pings: PingsInFlight): number {
    const ping = pings.oldestKeepalive;
    if (ping === null || !ping.isAdaptive || ping.deadline === Infinity || !this.#estimate.isReady)
      return Infinity;
    return Math.max(ping.sentAt, pings.lastReceivedAt, this.#notBefore);
  }

  get #deadAfter(): number {
    return Math.min(Math.max(this.#estimate.deadAfter, this.#settings.floor), this.#pingTimeout);
  }

  get #maxSlots(): number {
    return slotsOf(this.#settings);
  }
}
