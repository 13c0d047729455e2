// The environment of a keepalive: a runtime on the fake clock, and a connection that records its requests.

import { FakeClock, SeededRandom } from "holdfast-testkit";
import { HeartbeatKeepalive } from "../../../build/connection/keepalive/heartbeat-keepalive.js";
import type { KeepaliveHandler } from "../../../build/connection/keepalive/keepalive.js";
import { Runtime } from "../../../build/connection/runtime.js";
import type { HeartbeatSettings } from "../../../build/heartbeat/signals.js";

export const OPTIONS: HeartbeatSettings = { pingInterval: 20_000, pingTimeout: 20_000, liveness: "pong" };

export interface QueuedPing {
  readonly key: string;
  readonly payload: Uint8Array;
}

export class FakeHost implements KeepaliveHandler {
  readonly clock: FakeClock;
  readonly pulse: HeartbeatKeepalive;
  readonly log: string[] = [];
  /** Pings that have been queued or sent. */
  readonly pings: QueuedPing[] = [];
  lastReceivedAt = 0;
  bytesSent = 0;
  /** Receives the host's events, like a listener of the application. */
  onTold: (what: string) => void = () => undefined;

  constructor(runtime: Runtime, clock: FakeClock, options: Partial<HeartbeatSettings> = {}) {
    this.clock = clock;
    this.pulse = new HeartbeatKeepalive(runtime, this, { ...OPTIONS, ...options });
  }

  queuePing(key: string, payload: Uint8Array): void {
    this.#tell("ping");
    this.pings.push({ key, payload });
    this.clock.atTurnEnd(() => this.pulse.onPingSent(key));
  }

  abandonPing(): void {
    this.#tell("abandon");
  }

  onOverdue(elapsed: number, expected: number): void {
    this.#tell(`overdue ${elapsed} of ${expected}`);
  }

  onSuspended(gap: number): void {
    this.#tell(`suspended ${gap}`);
  }

  onSuspect({ silence, expected }: { readonly silence: number; readonly expected: number }): void {
    this.#tell(`suspect ${silence} of ${expected}`);
  }

  onUnmatchedPong(): void {
    // No test needs it.
  }

  onDead(silence: number): void {
    this.#tell(`dead ${silence}`);
  }

  #tell(what: string): void {
    this.log.push(`${this.clock.now()} ${what}`);
    this.onTold(what);
  }
}

export function newHost(options: Partial<HeartbeatSettings> = {}): FakeHost {
  const clock = new FakeClock();
  return new FakeHost(new Runtime(clock, new SeededRandom()), clock, options);
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
