// The part of the WHATWG interface that `ws` offers beside EventEmitter: `addEventListener()` and the attributes
// `onopen`, `onmessage`, `onerror` and `onclose`.

import type { EventEmitter } from "node:events";

/** The event types that have listeners of this kind. */
const TYPES = ["open", "error", "close", "message"] as const;
type EventType = (typeof TYPES)[number];

type Handler = ((event: Event) => void) | { handleEvent(event: Event): void };

/** The wrapper of a handler, which is registered with the EventEmitter. */
interface Wrapper {
  (...args: unknown[]): void;
  [HANDLER]: Handler;
  [IS_ATTRIBUTE]: boolean;
}

const HANDLER = Symbol("handler");
const IS_ATTRIBUTE = Symbol("attribute");

/** An emitter that knows whether it ended with both Close frames. */
export interface EventSource extends EventEmitter {
  readonly endedCleanly: boolean;
}

/** The events of `ws`: they have no propagation, default or phase. */
export class Event {
  readonly #type: string;
  readonly #target: unknown;

  constructor(type: string, target: unknown = null) {
    this.#type = type;
    this.#target = target;
  }

  get type(): string {
    return this.#type;
  }

  get target(): unknown {
    return this.#target;
  }

  /** For `console.log(event)`: the properties are those of the prototypes, where they are enumerable, as in `ws`. */
  [Symbol.for("nodejs.util.inspect.custom")](
    _: number,
    options: object,
    inspect: (value: unknown, options: object) => string,
  ): string {
    const values: Record<string, unknown> = {};
    for (const name in this) if (name !== "target") values[name] = this[name];
    return `${this.constructor.name} ${inspect(values, options)}`;
  }
}

export class MessageEvent extends Event {
  readonly #data: unknown;

  constructor(type: string, target: unknown, data: unknown) {
    super(type, target);
    this.#data = data;
  }

  get data(): unknown {
    return this.#data;
  }
}

export class CloseEvent extends Event {
  readonly #end: { readonly code: number; readonly reason: string; readonly wasClean: boolean };

  constructor(type: string, target: unknown, end: { code: number; reason: string; wasClean: boolean }) {
    super(type, target);
    this.#end = end;
  }

  get code(): number {
    return this.#end.code;
  }

  get reason(): string {
    return this.#end.reason;
  }

  get wasClean(): boolean {
    return this.#end.wasClean;
  }
}

export class ErrorEvent extends Event {
  readonly #error: Error;

  constructor(type: string, target: unknown, error: Error) {
    super(type, target);
    this.#error = error;
  }

  get error(): Error {
    return this.#error;
  }

  get message(): string {
    return this.#error.message;
  }
}

for (const [type, names] of [
  [Event, ["type", "target"]],
  [MessageEvent, ["data"]],
  [CloseEvent, ["code", "reason", "wasClean"]],
  [ErrorEvent, ["error", "message"]],
] as const) {
  for (const name of names) Object.defineProperty(type.prototype, name, { enumerable: true });
}

/** Adds a listener, unless it was added before. Does nothing for other types than the four. */
export function addEventListener(
  source: EventSource,
  type: string,
  handler: Handler,
  { once = false, isAttribute = false }: { once?: boolean; isAttribute?: boolean } = {},
): void {
  if (!isEventType(type)) return;
  if (!isAttribute && find(source, type, handler) !== null) return;
  const wrapper = ((...args: unknown[]) => call(handler, source, makeEvent(source, type, args))) as Wrapper;
  wrapper[HANDLER] = handler;
  wrapper[IS_ATTRIBUTE] = isAttribute;
  if (once) source.once(type, wrapper);
  else source.on(type, wrapper);
}

export function removeEventListener(source: EventSource, type: string, handler: Handler): void {
  const wrapper = find(source, type, handler);
  if (wrapper !== null) source.removeListener(type, wrapper);
}

/** Defines the attributes `onopen`, `onmessage`, `onerror` and `onclose`. */
export function defineAttributes(prototype: object): void {
  for (const type of TYPES) {
    Object.defineProperty(prototype, `on${type}`, {
      configurable: true,
      enumerable: true,
      get(this: EventSource) {
        return findAttribute(this, type)?.[HANDLER] ?? null;
      },
      set(this: EventSource, handler: unknown) {
        const before = findAttribute(this, type);
        if (before !== null) this.removeListener(type, before);
        if (typeof handler !== "function") return;
        addEventListener(this, type, handler as Handler, { isAttribute: true });
      },
    });
  }
}

function isEventType(type: string): type is EventType {
  return (TYPES as readonly string[]).includes(type);
}

function wrappers(source: EventSource, type: string): Wrapper[] {
  return (source.listeners(type) as Wrapper[]).filter((listener) => HANDLER in listener);
}

function find(source: EventSource, type: string, handler: Handler): Wrapper | null {
  return wrappers(source, type).find((each) => each[HANDLER] === handler && !each[IS_ATTRIBUTE]) ?? null;
}

function findAttribute(source: EventSource, type: string): Wrapper | null {
  return wrappers(source, type).find((each) => each[IS_ATTRIBUTE]) ?? null;
}

function makeEvent(source: EventSource, type: EventType, args: readonly unknown[]): Event {
  switch (type) {
    case "open":
      return new Event(type, source);
    case "message": {
      const [data, isBinary] = args as [Buffer, boolean];
      return new MessageEvent(type, source, isBinary ? data : data.toString());
    }
    case "close": {
      const [code, reason] = args as [number, Buffer];
      const wasClean = source.endedCleanly;
      return new CloseEvent(type, source, { code, reason: reason.toString(), wasClean });
    }
    case "error":
      return new ErrorEvent(type, source, args[0] as Error);
  }
}

function call(handler: Handler, source: EventSource, event: Event): void {
  if (typeof handler === "object") handler.handleEvent(event);
  else handler.call(source, event);
}
