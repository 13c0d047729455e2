// Event handler attributes, such as `onmessage` (https://html.spec.whatwg.org/#event-handler-attributes).

/** An event handler: a function, or null. */
export type Handler = ((event: Event) => unknown) | null;

interface Slot {
  /** The function or other object that was set. Such an object does nothing (`[LegacyTreatNonObjectAsNull]`). */
  value: object;
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
    return (this.#slots.get(type)?.value ?? null) as Handler; // The type of the standard, which keeps any object.
  }

  /** The function that `listener` calls, if it is the wrapper of this handler; otherwise `listener`. */
  unwrap<Listener>(type: string, listener: Listener): Listener | Slot["handler"] {
    const slot = this.#slots.get(type);
    return slot !== undefined && slot.listener === listener ? slot.handler : listener;
  }

  /**
   * Sets a handler; anything but an object removes it. A handler takes its place among the listeners when it is set, and
   * another one takes over that place.
   */
  set(type: string, value: unknown): void {
    const slot = this.#slots.get(type);
    if (value === null || (typeof value !== "function" && typeof value !== "object")) {
      if (slot === undefined) return;
      this.#slots.delete(type);
      this.#target.removeEventListener(type, slot.listener);
    } else if (slot === undefined) {
      this.#add(type, value);
    } else {
      slot.value = value;
      slot.handler = handlerOf(value);
    }
  }

  #add(type: string, value: object): void {
    const target = this.#target;
    const slot: Slot = {
      value,
      handler: handlerOf(value),
      listener: (event) => {
        if (slot.handler.call(target, event) === false) event.preventDefault();
      },
    };
    this.#slots.set(type, slot);
    target.addEventListener(type, slot.listener);
  }
}

function handlerOf(value: object): Slot["handler"] {
  return typeof value === "function" ? (value as Slot["handler"]) : () => undefined; // It is called with an event.
}
