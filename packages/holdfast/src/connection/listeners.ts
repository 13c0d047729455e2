// Listeners of a connection's events. Few connections have any, so that there is nothing until one is added.

import type { AsyncContext, FaultLogger, Platform } from "./platform.js";
import type { DetachedEvent, SessionLostEvent, SessionResumedEvent } from "./session-state.js";

/** What `Connection.on()` tells, by name. */
export interface ConnectionEvents {
  /** A Ping came; it is answered already unless `autoPong` is off. */
  readonly ping: { readonly payload: Uint8Array };
  /** A Pong came; `roundTrip` in milliseconds, null where it answers no ping in flight. */
  readonly pong: { readonly payload: Uint8Array; readonly roundTrip: number | null };
  /** A ping has waited `elapsed` milliseconds, when `expected` would have been plenty: suspicious, not dead. */
  readonly overdue: { readonly elapsed: number; readonly expected: number };
  /** Our own process did not run for `gap` milliseconds; the peer is given the time back. */
  readonly suspended: { readonly gap: number };
  /** Reading stopped, because this much waits to be read. */
  readonly paused: { readonly messages: number; readonly bytes: number };
  /**
   * Reading continues after `duration` milliseconds: the inbox has room again, or, if the event has a `gap`, the session
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
  /** Milliseconds for which reading was paused. */
  readonly duration: number;
  readonly gap?: undefined;
}

/** What `connection.on()` can listen for. */
export type ConnectionEventName = keyof ConnectionEvents;
/** What `connection.on()` calls. */
export type Listener<Name extends ConnectionEventName> = (event: ConnectionEvents[Name]) => void;

/** One for each call of `on()`: the same function may be added twice, and each removed by itself. */
interface Registration {
  readonly listener: (event: never) => void;
  /** Where it was added: it is called in there. */
  readonly context: AsyncContext | null;
}

export interface ListenersOptions {
  readonly platform: Platform;
  /** Gets what listeners throw, which is nobody else's to catch. */
  readonly faultLogger: FaultLogger | null;
}

export const EVENT_NAMES: readonly ConnectionEventName[] = [
  "ping",
  "pong",
  "overdue",
  "suspended",
  "paused",
  "resumed",
  "detached",
  "lost",
];

/** `Events` are those of a connection, or of what outlives connections. */
export class Listeners<Events extends object = ConnectionEvents> {
  readonly #options: ListenersOptions;
  #registered: Map<keyof Events, readonly Registration[]> | null = null;

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  has(name: keyof Events): boolean {
    return this.#registered?.has(name) === true;
  }

  /** Adds a listener; returns what removes it. */
  add<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const registered = (this.#registered ??= new Map<keyof Events, readonly Registration[]>());
    // A copy for each change, so that one that happens while listeners are called disturbs nobody.
    const registration: Registration = { listener, context: this.#options.platform.captureContext() };
    registered.set(name, [...(registered.get(name) ?? []), registration]);
    return () => {
      const others = (registered.get(name) ?? []).filter((other) => other !== registration);
      if (others.length > 0) registered.set(name, others);
      else registered.delete(name);
    };
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const registration of this.#registered?.get(name) ?? []) {
      // The map holds under each name only listeners of that name.
      const listener = registration.listener as (event: Events[Name]) => void;
      try {
        if (registration.context === null) listener(event);
        else registration.context.runInAsyncScope(listener, undefined, event);
      } catch (error) {
        // No other listener and no connection has to suffer from it.
        this.#options.faultLogger?.error(`a listener of "${String(name)}" failed`, { error });
      }
    }
  }

  /** Removes all: no event will follow, and what they keep in memory is not needed any more. */
  clear(): void {
    this.#registered?.clear();
  }
}
