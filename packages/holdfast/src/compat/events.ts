// The events of the standard: `MessageEvent` of the platform, in a form that costs less, and `CloseEvent`, which Node.js
// lacks before version 23.

import { requireArguments, toDictionary, toShort, toUSVString } from "./conversions.js";
import { describeInterface } from "./interface-members.js";

/** The second argument of `new CloseEvent()`. */
export interface CloseEventInit extends EventInit {
  readonly wasClean?: boolean;
  readonly code?: number;
  readonly reason?: string;
}

/** The event `close`. */
export interface CloseEvent extends Event {
  /** Whether both Close frames were exchanged. */
  readonly wasClean: boolean;
  /** The received close code: 1005 for an empty Close, 1006 if none was received. */
  readonly code: number;
  /** The received reason. */
  readonly reason: string;
}

/** The class of `CloseEvent`. */
export interface CloseEventConstructor {
  new (type: string, init?: CloseEventInit): CloseEvent;
  readonly prototype: CloseEvent;
}

/** The platform's class `CloseEvent`, or one like it where the platform has none. */
export const CloseEvent: CloseEventConstructor =
  (globalThis as { CloseEvent?: CloseEventConstructor }).CloseEvent ?? defineCloseEvent();

function defineCloseEvent(): CloseEventConstructor {
  class OwnCloseEvent extends Event {
    readonly #wasClean: boolean;
    readonly #code: number;
    readonly #reason: string;

    constructor(type: string, init: CloseEventInit = {}) {
      requireArguments("CloseEvent", arguments.length, 1);
      const { bubbles, cancelable, composed, code, reason, wasClean } = toDictionary("init", init);
      super(type, {
        bubbles: Boolean(bubbles),
        cancelable: Boolean(cancelable),
        composed: Boolean(composed),
      });
      this.#code = code === undefined ? 0 : toShort(code);
      this.#reason = reason === undefined ? "" : toUSVString(reason);
      this.#wasClean = Boolean(wasClean);
    }

    get wasClean(): boolean {
      return this.#wasClean;
    }

    get code(): number {
      return this.#code;
    }

    get reason(): string {
      return this.#reason;
    }
  }
  describeInterface(OwnCloseEvent, "CloseEvent");
  return OwnCloseEvent;
}

/**
 * A `MessageEvent`, as `instanceof` and its members have it. The platform's constructor converts a dictionary of eight
 * members, which costs 0.5 µs in Node.js 22; this one costs 0.07 µs.
 */
class LightMessageEvent extends Event {
  readonly data: unknown;
  readonly origin: string;

  constructor(data: unknown, origin: string) {
    super("message");
    this.data = data;
    this.origin = origin;
  }
}

for (const [name, value] of Object.entries({ lastEventId: "", source: null, ports: Object.freeze([]) })) {
  Object.defineProperty(LightMessageEvent.prototype, name, { value, configurable: true });
}

// Only the prototype: `super()` remains the cheap constructor of `Event`. The platform's `constructor` stays visible, as in
// `new event.constructor(event.type, event)`.
Object.setPrototypeOf(LightMessageEvent.prototype, MessageEvent.prototype);
Object.defineProperty(LightMessageEvent.prototype, "constructor", { value: MessageEvent });
// Node.js 20 has "Event" here.
Object.defineProperty(LightMessageEvent.prototype, Symbol.toStringTag, { value: "MessageEvent" });

export function createMessageEvent(data: unknown, origin: string): MessageEvent {
  return new LightMessageEvent(data, origin) as Event as MessageEvent; // It has MessageEvent's prototype, and all of its members.
}
