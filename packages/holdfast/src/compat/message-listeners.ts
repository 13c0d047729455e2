// The listeners of `message`. Where calling them is all that a dispatch would do, they are called directly.

import { toDictionary } from "./conversions.js";
import type { EventHandlers } from "./event-handlers.js";
import { createMessageEvent } from "./events.js";
import { callListeners, type MessageTarget, type PlainListener } from "./fast-message-event.js";

export class MessageListeners {
  readonly #handlers: EventHandlers;
  /** Whether `#plain` are all listeners. */
  #isFast: boolean;
  /** Listeners that are functions without options, in the order of their calls. */
  #plain: readonly PlainListener[] = [];
  /** The first of them; where that is the wrapper of `onmessage`, the function itself. */
  #first: PlainListener | null = null;
  readonly #getPlain = (): readonly PlainListener[] => this.#plain;
  #comeAndGo = false;

  /** @param isFast whether calling them directly pays on this platform */
  constructor(handlers: EventHandlers, isFast: boolean) {
    this.#handlers = handlers;
    this.#isFast = isFast;
  }

  /** Listeners come and go: each message needs its own task, so that a promise can add the next listener. */
  get comeAndGo(): boolean {
    return this.#comeAndGo;
  }

  onAdded(listener: unknown, options: unknown): void {
    const { once, signal } = toDictionary("options", typeof options === "boolean" ? undefined : options);
    if (Boolean(once) || signal !== undefined) this.#comeAndGo = true;
    if (typeof listener !== "function" || options !== undefined) this.#isFast = false;
    else if (this.#isFast) this.#setPlain([...new Set([...this.#plain, listener as PlainListener])]);
  }

  /** `onmessage` has another function. */
  onReplaced(): void {
    this.#comeAndGo = true;
    this.#setPlain(this.#plain);
  }

  onRemoved(listener: unknown): void {
    this.#comeAndGo = true;
    this.#isFast = false;
    this.#setPlain(this.#plain.filter((other) => other !== listener));
  }

  dispatch(target: MessageTarget, data: unknown): void {
    if (!this.#isFast) target.dispatchEvent(createMessageEvent(data, new URL(target.url).origin));
    else if (this.#first !== null) callListeners(this.#first, this.#plain, this.#getPlain, target, data);
  }

  #setPlain(listeners: readonly PlainListener[]): void {
    this.#plain = listeners;
    const [first] = listeners as readonly [PlainListener?];
    this.#first = first === undefined ? null : this.#handlers.unwrap("message", first);
  }
}
