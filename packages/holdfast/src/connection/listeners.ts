// Listeners of a connection's events. Few connections have any, so that there is nothing until one is added.

import type { Clock } from "./ports.js";

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
  /** Reading goes on after `duration` milliseconds. */
  readonly resumed: { readonly duration: number };
}

/** What `connection.on()` can listen for. */
export type ConnectionEventName = keyof ConnectionEvents;
/** What `connection.on()` calls. */
export type Listener<Name extends ConnectionEventName> = (event: ConnectionEvents[Name]) => void;

/** One for each call of `on()`: the same function may be added twice, and each removed by itself. */
interface Registration {
  readonly listener: (event: never) => void;
}

export const EVENT_NAMES: readonly ConnectionEventName[] = [
  "ping",
  "pong",
  "overdue",
  "suspended",
  "paused",
  "resumed",
];

/** `Events` are those of a connection, or of what outlives connections. */
export class Listeners<Events extends object = ConnectionEvents> {
  readonly #clock: Clock;
  #registered: Map<keyof Events, readonly Registration[]> | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(name: keyof Events): boolean {
    return this.#registered?.has(name) === true;
  }

  /** Adds a listener; returns what removes it. */
  add<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const registered = (this.#registered ??= new Map<keyof Events, readonly Registration[]>());
    // A copy for each change, so that one that happens while listeners are called disturbs nobody.
    const registration: Registration = { listener };
    registered.set(name, [...(registered.get(name) ?? []), registration]);
    return () => {
      const others = (registered.get(name) ?? []).filter((other) => other !== registration);
      if (others.length > 0) registered.set(name, others);
      else registered.delete(name);
    };
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const { listener } of this.#registered?.get(name) ?? []) {
      try {
        (listener as (event: Events[Name]) => void)(event); // The map holds under each name only listeners of that name.
      } catch (error) {
        // As with EventTarget: it is an uncaught exception, and not the connection's to suffer from.
        this.#clock.atTurnEnd(() => {
          throw error;
        });
      }
    }
  }
}
