// The class `WebSocket` of the WHATWG standard (https://websockets.spec.whatwg.org), over any link.

import type { CloseInfo } from "../connection/close-info.js";
import type { Message } from "../connection/reading/inbox.js";
import type { CloseFrame } from "../shared/close-code.js";
import { checkOptionNames } from "../shared/option-names.js";
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
import { CloseEvent } from "./events.js";
import { defineConstants, describeInterface, setRequiredArguments } from "./interface-members.js";
import type { Link, LinkOpener } from "./link.js";
import { MessageListeners } from "./message-listeners.js";
import { inNextTask } from "./next-task.js";
import { outcomeOf } from "./outcome.js";
import { Sender } from "./sender.js";
import { checkBufferOptions } from "./buffer-options.js";
import type { WebSocketConstructor } from "./web-socket-types.js";

const INIT = { holdfast: true, headers: true } as const;

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
    readonly #sender: Sender;
    readonly #handlers = new EventHandlers(this);
    readonly #listeners = new MessageListeners(this.#handlers, platform.hasFastEvents);
    readonly #opening = new AbortController();
    #link: Link | null = null;
    #isDelivering = false;
    #readyState = CONNECTING;
    #binaryType: "arraybuffer" | "blob" = "blob";
    #protocol = "";
    #extensions = "";
    #closeInfo: CloseInfo | null = null;
    #latency: number | null = null;

    constructor(url: unknown, protocols?: unknown, init?: unknown) {
      requireArguments(name, arguments.length, 1);
      const text = toUSVString(url);
      const names = toProtocols(protocols);
      // The standard has no third argument, and ignores any value there. Libraries that know `ws` pass `headers` (SignalR).
      const given = toDictionary("init", typeof init === "object" ? init : undefined);
      const { holdfast, headers } = given;
      super();
      this.#url = parseURL(text).href;
      checkProtocols(names);
      checkOptionNames(name, given, INIT);
      const { maxBufferedAmount, options } = checkBufferOptions(holdfast);
      this.#sender = new Sender({ platform, maxBufferedAmount, onFailed: (error) => this.#fail(error) });
      opener.open(
        // The opener checks the options.
        {
          url: this.#url,
          protocols: names,
          options: { ...(headers === undefined ? {} : { headers }), ...options } as Options,
          signal: this.#opening.signal,
        },
        { onOpen: (link) => this.#onOpen(link), onEnd: (info) => this.#onEnd(info) },
      );
    }

    get url(): string {
      return this.#url;
    }

    get readyState(): number {
      if (this.#readyState !== OPEN || this.#link === null) return this.#readyState;
      // Messages are delivered while it is OPEN: those before the peer's Close too.
      return this.#link.isOpen || this.#isDelivering ? OPEN : CLOSING;
    }

    get bufferedAmount(): number {
      return this.#sender.amount;
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
      const isReplaced = this.#handlers.get("message") !== null;
      this.#handlers.set("message", handler);
      if (isReplaced) this.#listeners.onReplaced();
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
        this.#sender.sendText(data); // Encoders replace lone surrogates themselves.
        return;
      }
      const outgoing = data instanceof Blob ? data : (copyOfBufferSource(data) ?? toUSVString(data));
      if (this.#readyState === CONNECTING) {
        throw new DOMException(
          "Expected an open WebSocket, got one that is still connecting.",
          "InvalidStateError",
        );
      }
      if (this.#readyState === OPEN) this.#sender.send(outgoing);
      else this.#sender.refuse(outgoing);
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
      if (type === "message") this.#listeners.onAdded(listener, options);
      super.addEventListener(type, listener, options);
    }

    override removeEventListener(
      type: string,
      listener: EventListenerOrEventListenerObject | null,
      options?: EventListenerOptions | boolean,
    ): void {
      if (type === "message") this.#listeners.onRemoved(listener);
      super.removeEventListener(type, listener, options);
    }

    #close(frame: CloseFrame): void {
      if (this.#readyState === CONNECTING) {
        this.#readyState = CLOSING;
        this.#opening.abort();
      } else if (this.#readyState === OPEN) {
        this.#readyState = CLOSING;
        this.#sender.close(frame);
      }
    }

    #fail(error: Error): void {
      if (this.#readyState === OPEN) this.#readyState = CLOSING;
      this.#sender.clear();
      this.#link?.fail(error);
    }

    #onOpen(link: Link): void {
      this.#link = link;
      this.#sender.open(link);
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
      this.#isDelivering = true;
      this.#listeners.dispatch(this, data);
      this.#isDelivering = false;
      return this.#listeners.comeAndGo ? new Promise(inNextTask) : undefined;
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
      this.#sender.end();
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
