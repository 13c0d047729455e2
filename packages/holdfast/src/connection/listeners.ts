// Listeners of a connection's events. Created on demand, because few connections have any.

import { callSafely } from "./arguments.js";
import type { Suspicion } from "../heartbeat/adaptive-detection.js";
import type { AsyncContext, FaultLogger, Platform } from "./platform.js";
import type { DetachedEvent, SessionLostEvent, SessionResumedEvent } from "./session-state.js";

/** The events of `Connection.on()`, by name. */
export interface ConnectionEvents {
  /** A Ping arrived. It has already been answered, unless `autoPong` is off. */
  readonly ping: { readonly payload: Uint8Array };
  /** A Pong arrived. `roundTrip` is in milliseconds; null if it answers no ping in flight. */
  readonly pong: { readonly payload: Uint8Array; readonly roundTrip: number | null };
  /**
   * A ping has waited for `elapsed` milliseconds, much longer than the `expected` ones. The peer is suspicious, but not
   * declared dead.
   */
  readonly overdue: { readonly elapsed: number; readonly expected: number };
  /**
   * The peer is silent for longer than usual on this link (`detection: "adaptive"`). It is suspicious, but not declared
   * dead: a pong or other bytes may still come.
   */
  readonly suspect: Suspicion;
  /** Our own process did not run for `gap` milliseconds. This time does not count against the peer. */
  readonly suspended: { readonly gap: number };
  /** The inbox is full, so that reading paused: for a second, and then whenever the memory limit is reached. */
  readonly paused: { readonly messages: number; readonly bytes: number };
  /**
   * The inbox has room again, `duration` milliseconds after `paused`, or, if the event has a `gap`, the session
   * continues on another socket.
   */
  readonly resumed: ReadingResumedEvent | (SessionResumedEvent & { readonly duration: number });
  /** The session has lost its socket, and waits for the client to resume it. */
  readonly detached: DetachedEvent;
  /** The session is lost; the end of the connection follows. */
  readonly lost: SessionLostEvent;
}

/** Reading continues. */
export interface ReadingResumedEvent {
  /** Milliseconds for which the inbox was full. */
  readonly duration: number;
  readonly gap?: undefined;
}

/** The events that `connection.on()` accepts. */
export type ConnectionEventName = keyof ConnectionEvents;
/** A function that `connection.on()` adds. */
export type Listener<Name extends ConnectionEventName> = (event: ConnectionEvents[Name]) => void;

/** One for each call of `on()`: the same function may be added twice, and each is removed separately. */
interface Registration {
  readonly listener: (event: never) => void;
  /** The async context of the `on()` call, in which the listener is called. */
  readonly context: AsyncContext | null;
}

export const EVENT_NAMES: readonly ConnectionEventName[] = [
  "ping",
  "pong",
  "overdue",
  "suspect",
  "suspended",
  "paused",
  "resumed",
  "detached",
  "lost",
];

/** For an unknown event: programs for other libraries ask for "message" and "close". */
export const READ_INSTEAD =
  "Read messages with `for await`, `recv()` or `forEach()`, and await `closed` for the end.";

/** `Events` are those of a connection, or of an object that outlives connections. */
export class Listeners<Events extends object = ConnectionEvents> {
  readonly #platform: Platform;
  readonly #faultLogger: FaultLogger | null;
  #registered: Map<keyof Events, Set<Registration>> | null = null;

  /** @param faultLogger receives the errors of listeners, since no caller can catch them */
  constructor(platform: Platform, faultLogger: FaultLogger | null) {
    this.#platform = platform;
    this.#faultLogger = faultLogger;
  }

  has(name: keyof Events): boolean {
    return this.#registered?.has(name) === true;
  }

  /** Adds a listener; returns a function that removes it. */
  add<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const all = (this.#registered ??= new Map<keyof Events, Set<Registration>>());
    const registration: Registration = { listener, context: this.#platform.captureContext() };
    const registered = all.get(name) ?? new Set();
    all.set(name, registered.add(registration));
    return () => {
      registered.delete(registration);
      if (registered.size === 0 && all.get(name) === registered) all.delete(name);
    };
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const registered = this.#registered?.get(name);
    if (registered === undefined) return;
    // A copy, so that changes during an event do not disturb its iteration.
    for (const registration of [...registered]) {
      // For each name, the map holds only listeners of that name.
      const listener = registration.listener as (event: Events[Name]) => unknown;
      const { context } = registration;
      callSafely(
        () => (context === null ? listener(event) : context.runInAsyncScope(listener, undefined, event)),
        // A failing listener must not affect other listeners or the connection.
        (error) => this.#faultLogger?.error(`a listener of "${String(name)}" failed`, { error }),
      );
    }
  }

  /** Removes all listeners: no more events follow, and their memory can be freed. */
  clear(): void {
    this.#registered?.clear();
  }
}
