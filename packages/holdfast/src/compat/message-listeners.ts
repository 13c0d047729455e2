// The listeners of `message`. Where calling them is all that a dispatch would do, they are called directly.

import { toDictionary } from "./conversions.js";
import { createMessageEvent } from "./events.js";
import { callListeners, type MessageTarget, type PlainListener } from "./fast-message-event.js";

export class MessageListeners {
  /** All listeners, while each is a function without options; null otherwise. */
  #plain: readonly PlainListener[] | null;
  readonly #getPlain = (): readonly PlainListener[] => this.#plain ?? [];
  #comeAndGo = false;

  /** @param isFast whether calling them directly pays on this platform */
  constructor(isFast: boolean) {
    this.#plain = isFast ? [] : null;
  }

  /** Listeners come and go: each message needs its own task, so that a promise can add the next listener. */
  get comeAndGo(): boolean {
    return this.#comeAndGo;
  }

  onAdded(listener: unknown, options: unknown): void {
    const { once, signal } = toDictionary("options", typeof options === "boolean" ? undefined : options);
    if (Boolean(once) || signal !== undefined) this.#comeAndGo = true;
    const known = this.#plain;
    const isPlain = typeof listener === "function" && options === undefined;
    if (!isPlain) this.#plain = null;
    else if (known?.includes(listener as PlainListener) === false) {
      this.#plain = [...known, listener as PlainListener];
    }
  }

  onReplaced(): void {
    this.#comeAndGo = true;
  }

  onRemoved(): void {
    this.#comeAndGo = true;
    this.#plain = null;
  }

  dispatch(target: MessageTarget, data: unknown): void {
    const plain = this.#plain;
    if (plain === null) target.dispatchEvent(createMessageEvent(data, new URL(target.url).origin));
    else callListeners(plain, this.#getPlain, target, data);
  }
}
