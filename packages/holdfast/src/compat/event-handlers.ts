// Event handler attributes, such as `onmessage` (https://html.spec.whatwg.org/#event-handler-attributes).

/** An event handler: a function, or null. */
export type Handler = ((event: Event) => unknown) | null;

interface Slot {
  handler: (event: Event) => unknown;
  readonly listener: (event: Event) => void;
}

/** The event handlers of one object. */
export class EventHandlers {
  readonly #target: EventTarget;
  readonly #slots = new Map<string, Slot>();

  constructor(target: EventTarget) {
    this.#target = target;
  }

  get(type: string): Handler {
    return this.#slots.get(type)?.handler ?? null;
  }

  /**
   * Sets a handler; anything but a function removes it. A handler takes its place among the listeners when it is set, and
   * another one takes over that place.
   */
  set(type: string, value: unknown): void {
    const slot = this.#slots.get(type);
    if (typeof value !== "function") {
      if (slot === undefined) return;
      this.#slots.delete(type);
      this.#target.removeEventListener(type, slot.listener);
    } else if (slot === undefined) {
      this.#add(type, value as Slot["handler"]);
    } else {
      slot.handler = value as Slot["handler"];
    }
  }

  #add(type: string, handler: Slot["handler"]): void {
    const target = this.#target;
    const slot: Slot = {
      handler,
      listener: (event) => {
        if (slot.handler.call(target, event) === false) event.preventDefault();
      },
    };
    this.#slots.set(type, slot);
    target.addEventListener(type, slot.listener);
  }
}
