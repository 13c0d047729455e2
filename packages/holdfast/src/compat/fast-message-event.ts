// The event `message` without the platform's constructor, for the dispatch of `MessageListeners`.

/** The WebSocket that received the message. */
export interface MessageTarget extends EventTarget {
  readonly url: string;
}

/** A function that was added as a listener without options. */
export type PlainListener = (event: Event) => unknown;

// One number for all flags, since an event has few other fields.
const DISPATCHED = 1;
const PROPAGATION_STOPPED = 2;
const STOPPED = 4;

let finish: (event: FastMessageEvent) => void;
let isStopped: (event: FastMessageEvent) => boolean;

/** Of events that were asked for it: hardly any is. */
const timeStamps = new WeakMap<FastMessageEvent, number>();

/**
 * Has the prototype and all members of `MessageEvent`, and costs 10 ns: the constructor of Node's `Event` reads a clock, and
 * its `dispatchEvent` takes as long again, which together is a third of the time that a small message takes.
 *
 * `dispatchEvent()` of another object does not accept it as an event: create another one there, as in
 * `new event.constructor(event.type, event)`.
 */
class FastMessageEvent {
  readonly data: unknown;
  readonly #target: MessageTarget;
  #state = DISPATCHED;

  static {
    finish = (event) => {
      event.#state = 0;
    };
    isStopped = (event) => (event.#state & STOPPED) !== 0;
  }

  constructor(target: MessageTarget, data: unknown) {
    this.#target = target;
    this.data = data;
  }

  get origin(): string {
    return new URL(this.#target.url).origin;
  }

  get target(): EventTarget {
    return this.#target;
  }

  get srcElement(): EventTarget {
    return this.#target;
  }

  get currentTarget(): EventTarget | null {
    return this.#isDispatched ? this.#target : null;
  }

  get eventPhase(): number {
    return this.#isDispatched ? 2 : 0; // AT_TARGET, NONE
  }

  get timeStamp(): number {
    const timeStamp = timeStamps.get(this) ?? performance.now();
    timeStamps.set(this, timeStamp);
    return timeStamp;
  }

  get cancelBubble(): boolean {
    return (this.#state & PROPAGATION_STOPPED) !== 0;
  }

  set cancelBubble(value: unknown) {
    if (value) this.stopPropagation();
  }

  composedPath(): EventTarget[] {
    return this.#isDispatched ? [this.#target] : [];
  }

  stopPropagation(): void {
    if (this.#isDispatched) this.#state |= PROPAGATION_STOPPED;
  }

  stopImmediatePropagation(): void {
    if (this.#isDispatched) this.#state |= PROPAGATION_STOPPED | STOPPED;
  }

  preventDefault(): void {
    // It is not cancelable.
  }

  initEvent(): void {
    // Without effect while an event is dispatched.
  }

  initMessageEvent(): void {
    // Without effect while an event is dispatched.
  }

  get #isDispatched(): boolean {
    return (this.#state & DISPATCHED) !== 0;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): unknown {
    return { type: "message", data: this.data, origin: this.origin, timeStamp: this.timeStamp };
  }
}

/** Members with one value for all events. */
const CONSTANT = {
  type: "message",
  bubbles: false,
  cancelable: false,
  composed: false,
  defaultPrevented: false,
  returnValue: true,
  isTrusted: false, // As the other events of the class, and as in undici.
  lastEventId: "",
  source: null,
  ports: Object.freeze([]),
  constructor: MessageEvent,
};

for (const [name, value] of Object.entries(CONSTANT)) {
  Object.defineProperty(FastMessageEvent.prototype, name, { value, configurable: true });
}
// Node.js 20 has "Event" here.
Object.defineProperty(FastMessageEvent.prototype, Symbol.toStringTag, { value: "MessageEvent" });
Object.setPrototypeOf(FastMessageEvent.prototype, MessageEvent.prototype);

/**
 * Calls each listener with one event. An error of a listener goes to the platform, and not to the other listeners.
 * @param first to call in place of the first of `listeners`, which would do nothing else
 * @param getRest returns the listeners that no earlier one has removed
 */
export function callListeners(
  first: PlainListener,
  listeners: readonly PlainListener[],
  getRest: () => readonly PlainListener[],
  target: MessageTarget,
  data: unknown,
): void {
  const event = new FastMessageEvent(target, data);
  callListener(first, target, event);
  if (listeners.length > 1) callOthers(listeners, getRest, target, event);
  finish(event);
}

/** Separate, so that the function above is small enough to become a part of its caller. */
function callOthers(
  listeners: readonly PlainListener[],
  getRest: () => readonly PlainListener[],
  target: MessageTarget,
  event: FastMessageEvent,
): void {
  for (const listener of listeners.slice(1)) {
    if (isStopped(event)) return;
    if (getRest().includes(listener)) callListener(listener, target, event);
  }
}

function callListener(listener: PlainListener, target: MessageTarget, event: FastMessageEvent): void {
  try {
    listener.call(target, event as object as MessageEvent); // It has all members of one.
  } catch (error) {
    report(error);
  }
}

function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
