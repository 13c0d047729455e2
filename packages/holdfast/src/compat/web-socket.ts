// The class `WebSocket` of the WHATWG standard (https://websockets.spec.whatwg.org), over any link.

/* eslint max-lines: ["warn", { "max": 300, "skipBlankLines": true, "skipComments": true }] -- The members of one interface. */

import type { CloseInfo } from "../connection/close-info.js";
import type { Message } from "../connection/inbox.js";
import type { CloseFrame } from "../shared/close-code.js";
import { HoldfastError } from "../shared/errors.js";
import { errorOf } from "../shared/thrown.js";
import { checkCloseFrame, checkProtocols, parseURL, toProtocols } from "./arguments.js";
import {
  copyOfBufferSource,
  requireArguments,
  toClampedShort,
  toDictionary,
  toDOMString,
  toUSVString,
} from "./conversions.js";
import { EventHandlers, type Handler } from "./event-handlers.js";
import { CloseEvent, createMessageEvent } from "./events.js";
import { callListeners, type PlainListener } from "./fast-message-event.js";
import { defineConstants, describeInterface, setRequiredArguments } from "./interface-members.js";
import type { Link, LinkOpener, LinkPlatform } from "./link.js";
import { inNextTask } from "./next-task.js";
import { outcomeOf } from "./outcome.js";
import { SendAccount } from "./send-account.js";
import { SendOrder } from "./send-order.js";
import { checkBufferOptions } from "./buffer-options.js";
import type { WebSocketConstructor } from "./web-socket-types.js";

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** Creates a class with the standard's interface. */
export function defineWebSocket<Options extends object>(
  name: string,
  opener: LinkOpener<Options>,
): WebSocketConstructor<Options> {
  const { platform } = opener;
  class WebSocket extends EventTarget {
    readonly #url: string;
    readonly #maxBufferedAmount: number;
    readonly #handlers = new EventHandlers(this);
    readonly #account = new SendAccount(platform);
    readonly #opening = new AbortController();
    /** Null while nothing waits for a Blob. */
    #order: SendOrder | null = null;
    #link: Link | null = null;
    #readyState = CONNECTING;
    #binaryType: "arraybuffer" | "blob" = "blob";
    #protocol = "";
    #extensions = "";
    #closeInfo: CloseInfo | null = null;
    #latency: number | null = null;
    /** The listeners of `message` while `dispatchEvent()` can be replaced by calling them; null otherwise. */
    #fastListeners: readonly PlainListener[] | null = platform.hasFastEvents ? [] : null;
    readonly #getFastListeners = (): readonly PlainListener[] => this.#fastListeners ?? [];
    /** Listeners come and go: each message needs its own task, so that a promise can add the next listener. */
    #hasPassingListeners = false;

    constructor(url: unknown, protocols?: unknown, init?: unknown) {
      requireArguments(name, arguments.length, 1);
      const text = toUSVString(url);
      const names = toProtocols(protocols);
      // The standard has no third argument, and ignores any value there.
      const { holdfast } = toDictionary("init", typeof init === "object" ? init : undefined);
      super();
      this.#url = parseURL(text).href;
      checkProtocols(names);
      const { maxBufferedAmount, options } = checkBufferOptions(holdfast);
      this.#maxBufferedAmount = maxBufferedAmount;
      opener.open(
        // The opener checks the options.
        { url: this.#url, protocols: names, options: options as Options, signal: this.#opening.signal },
        { onOpen: (link) => this.#onOpen(link), onEnd: (info) => this.#onEnd(info) },
      );
    }

    get url(): string {
      return this.#url;
    }

    get readyState(): number {
      const isClosing = this.#readyState === OPEN && this.#link?.isOpen === false;
      return isClosing ? CLOSING : this.#readyState;
    }

    get bufferedAmount(): number {
      return this.#account.amount;
    }

    get onopen(): Handler {
      return this.#handlers.get("open");
    }

    set onopen(handler: unknown) {
      this.#handlers.set("open", handler);
    }

    get onerror(): Handler {
      return this.#handlers.get("error");
    }

    set onerror(handler: unknown) {
      this.#handlers.set("error", handler);
    }

    get onclose(): Handler {
      return this.#handlers.get("close");
    }

    set onclose(handler: unknown) {
      this.#handlers.set("close", handler);
    }

    get extensions(): string {
      return this.#extensions;
    }

    get protocol(): string {
      return this.#protocol;
    }

    close(code?: unknown, reason?: unknown): void {
      if (!(#url in this)) throw new TypeError(`Expected a ${name} as \`this\`, got another object.`);
      const given = code === undefined ? null : toClampedShort(code);
      this.#close(checkCloseFrame(given, reason === undefined ? "" : toUSVString(reason)));
    }

    get onmessage(): Handler {
      return this.#handlers.get("message");
    }

    set onmessage(handler: unknown) {
      if (this.#handlers.get("message") !== null) this.#hasPassingListeners = true;
      this.#handlers.set("message", handler);
    }

    get binaryType(): string {
      return this.#binaryType;
    }

    set binaryType(value: unknown) {
      const type = toDOMString(value);
      this.#binaryType = type === "blob" || type === "arraybuffer" ? type : this.#binaryType;
    }

    send(data: unknown): void {
      requireArguments("send()", arguments.length, 1);
      if (this.#readyState === OPEN && typeof data === "string") {
        this.#sendText(data); // Encoders replace lone surrogates themselves.
        return;
      }
      const outgoing = data instanceof Blob ? data : (copyOfBufferSource(data) ?? toUSVString(data));
      if (this.#readyState === CONNECTING) {
        throw new DOMException(
          "Expected an open WebSocket, got one that is still connecting.",
          "InvalidStateError",
        );
      }
      this.#send(outgoing, sizeOf(outgoing, platform));
    }

    // Not in the standard.

    get closeInfo(): CloseInfo | null {
      return this.#closeInfo;
    }

    get latency(): number | null {
      return this.#link?.latency ?? this.#latency;
    }

    override addEventListener(
      type: string,
      listener: EventListenerOrEventListenerObject | null,
      options?: AddEventListenerOptions | boolean,
    ): void {
      if (type === "message") this.#onListenerAdded(listener, options);
      super.addEventListener(type, listener, options);
    }

    override removeEventListener(
      type: string,
      listener: EventListenerOrEventListenerObject | null,
      options?: EventListenerOptions | boolean,
    ): void {
      if (type === "message") {
        this.#hasPassingListeners = true;
        this.#fastListeners = null;
      }
      super.removeEventListener(type, listener, options);
    }

    /** Calling plain functions is all that a dispatch would do. */
    #onListenerAdded(listener: unknown, options: unknown): void {
      const { once, signal } = toDictionary("options", typeof options === "boolean" ? undefined : options);
      if (Boolean(once) || signal !== undefined) this.#hasPassingListeners = true;
      const known = this.#fastListeners;
      const isPlain = typeof listener === "function" && options === undefined;
      if (!isPlain) this.#fastListeners = null;
      else if (known?.includes(listener as PlainListener) === false) {
        this.#fastListeners = [...known, listener as PlainListener];
      }
    }

    #send(data: Blob | string | Uint8Array<ArrayBuffer>, size: number): void {
      const link = this.#link;
      if (this.#readyState !== OPEN || link?.isOpen !== true) {
        this.#account.hold(size);
      } else if ((typeof data === "object" && data instanceof Blob) || this.#order?.isBusy === true) {
        this.#account.hold(size);
        if (this.#account.amount > this.#maxBufferedAmount) this.#failFull();
        else this.#sendInOrder(data, size, link);
      } else {
        this.#pass(data, size, link);
      }
    }

    /** As `#send`, without measuring a text that is sent at once. */
    #sendText(text: string): void {
      const link = this.#link;
      if (
        link?.isOpen === true &&
        this.#order === null &&
        this.#account.addText(text, this.#maxBufferedAmount)
      ) {
        link.send(text);
        this.#account.check();
      } else {
        this.#send(text, platform.byteLength(text));
      }
    }

    #pass(data: string | Uint8Array<ArrayBuffer>, size: number, link: Link): void {
      if (this.#account.amount + size > this.#maxBufferedAmount) {
        this.#account.hold(size);
        this.#failFull();
        return;
      }
      this.#account.add(size);
      link.send(data);
      this.#account.check();
    }

    #sendInOrder(data: Blob | string | Uint8Array<ArrayBuffer>, size: number, link: Link): void {
      this.#order ??= new SendOrder((error) => this.#fail(errorOf(error)));
      this.#order.push({
        data,
        release: (read) => {
          if (read === null || !link.isOpen) return; // It stays in `bufferedAmount`.
          this.#account.release(size);
          this.#pass(read, size, link);
        },
      });
    }

    #close(frame: CloseFrame): void {
      const link = this.#link;
      if (this.#readyState === CONNECTING) {
        this.#readyState = CLOSING;
        this.#opening.abort();
      } else if (this.#readyState === OPEN && link !== null) {
        this.#readyState = CLOSING;
        if (this.#order?.isBusy === true) this.#order.push({ data: null, release: () => link.close(frame) });
        else link.close(frame);
      }
    }

    #failFull(): void {
      this.#fail(bufferFullError(this.#account.amount, this.#maxBufferedAmount));
    }

    #fail(error: Error): void {
      if (this.#readyState === OPEN) this.#readyState = CLOSING;
      this.#order?.clear();
      this.#link?.fail(error);
    }

    #onOpen(link: Link): void {
      this.#link = link;
      this.#account.open(link);
      this.#readyState = OPEN;
      this.#protocol = link.subprotocol;
      this.#extensions = link.extensions;
      this.dispatchEvent(new Event("open"));
      // Code that awaits `open` has to add its listeners before the first message.
      inNextTask(() => link.read((message) => this.#onMessage(message)));
    }

    #onMessage(message: Message): Promise<void> | undefined {
      if (this.#readyState !== OPEN) return undefined; // This side is closing.
      const data = typeof message === "string" ? message : this.#binary(message);
      const listeners = this.#fastListeners;
      if (listeners === null) this.dispatchEvent(createMessageEvent(data, new URL(this.#url).origin));
      else callListeners(listeners, this.#getFastListeners, this, data);
      return this.#hasPassingListeners ? new Promise(inNextTask) : undefined;
    }

    #binary(message: Uint8Array): ArrayBuffer | Blob {
      // The type of received messages does not say so, but their memory is never shared.
      const { buffer, byteOffset, byteLength } = message as Uint8Array<ArrayBuffer>;
      if (this.#binaryType === "blob") return new Blob([message as Uint8Array<ArrayBuffer>]);
      return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
    }

    #onEnd(info: CloseInfo): void {
      this.#closeInfo = info;
      this.#readyState = CLOSED;
      this.#latency = this.#link?.latency ?? null;
      this.#order?.clear();
      this.#account.end();
      this.#link = null;
      const outcome = outcomeOf(info);
      if (!outcome.wasClean) this.dispatchEvent(new Event("error"));
      this.dispatchEvent(new CloseEvent("close", outcome));
    }
  }

  defineConstants(WebSocket, { CONNECTING, OPEN, CLOSING, CLOSED });
  describeInterface(WebSocket, name);
  setRequiredArguments(WebSocket.prototype, "constructor", 1);
  setRequiredArguments(WebSocket.prototype, "close", 0);
  // The members are those of the type; their parameters take any value, which Web IDL converts.
  return WebSocket as unknown as WebSocketConstructor<Options>;
}

function sizeOf(data: Blob | string | Uint8Array, platform: LinkPlatform): number {
  if (typeof data === "string") return platform.byteLength(data);
  return data instanceof Blob ? data.size : data.byteLength;
}

function bufferFullError(amount: number, limit: number): HoldfastError {
  const message = `Expected at most ${limit} unsent bytes (maxBufferedAmount), got ${amount}: the peer or the network takes messages more slowly than send() is called. Check \`bufferedAmount\` before sending, or raise \`maxBufferedAmount\`.`;
  return new HoldfastError(message, { code: "ERR_HOLDFAST_SEND_BUFFER_FULL" });
}
