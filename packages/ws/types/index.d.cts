/// <reference types="node" />
// The types of `require("@holdfast/ws")`: those that users of @types/ws know, and `holdfast`.

import type { EventEmitter } from "node:events";
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, Server as HttpServer } from "node:http";
import type { RequestOptions, Server as HttpsServer } from "node:https";
import type { AddressInfo as NetAddress } from "node:net";
import type { Duplex, DuplexOptions } from "node:stream";
import type { ZlibOptions } from "node:zlib";
import type { Connection, ConnectionOptions } from "holdfast" with { "resolution-mode": "import" };

type Callback = (error?: Error) => void;

/** A WebSocket of `ws`, at a client or at a server, over a connection of Holdfast. */
declare class WebSocket extends EventEmitter {
  static readonly CONNECTING: 0;
  static readonly OPEN: 1;
  static readonly CLOSING: 2;
  static readonly CLOSED: 3;

  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;

  /** The form of binary messages. Text messages are always Buffers. @default "nodebuffer" */
  binaryType: "arraybuffer" | "blob" | "fragments" | "nodebuffer";
  /** Bytes that wait for the socket. */
  readonly bufferedAmount: number;
  readonly extensions: string;
  readonly isPaused: boolean;
  readonly protocol: string;
  readonly readyState: 0 | 1 | 2 | 3;
  readonly url: string;
  /** The connection of Holdfast: latency, statistics, and the explanation of its end. Null before it is open. */
  readonly holdfast: Connection | null;

  onopen: ((event: WebSocket.Event) => void) | null;
  onerror: ((event: WebSocket.ErrorEvent) => void) | null;
  onclose: ((event: WebSocket.CloseEvent) => void) | null;
  onmessage: ((event: WebSocket.MessageEvent) => void) | null;

  constructor(address: null, protocols?: undefined, options?: object);
  constructor(address: string | URL, options?: WebSocket.ClientOptions);
  constructor(address: string | URL, protocols?: string | string[], options?: WebSocket.ClientOptions);

  close(code?: number, data?: string | Buffer): void;
  ping(data?: unknown, mask?: boolean, callback?: (error: Error) => void): void;
  pong(data?: unknown, mask?: boolean, callback?: (error: Error) => void): void;
  send(data: WebSocket.BufferLike, callback?: Callback): void;
  send(data: WebSocket.BufferLike, options: WebSocket.SendOptions, callback?: Callback): void;
  terminate(): void;
  pause(): void;
  resume(): void;

  addEventListener<Type extends keyof WebSocket.WebSocketEventMap>(
    type: Type,
    listener: WebSocket.Listener<WebSocket.WebSocketEventMap[Type]>,
    options?: WebSocket.EventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof WebSocket.WebSocketEventMap>(
    type: Type,
    listener: WebSocket.Listener<WebSocket.WebSocketEventMap[Type]>,
  ): void;

  on<Name extends keyof WebSocket.Events>(
    event: Name,
    listener: (this: WebSocket, ...args: WebSocket.Events[Name]) => void,
  ): this;
  on(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;
  once<Name extends keyof WebSocket.Events>(
    event: Name,
    listener: (this: WebSocket, ...args: WebSocket.Events[Name]) => void,
  ): this;
  once(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;
  off<Name extends keyof WebSocket.Events>(
    event: Name,
    listener: (this: WebSocket, ...args: WebSocket.Events[Name]) => void,
  ): this;
  off(event: string | symbol, listener: (this: WebSocket, ...args: any[]) => void): this;
  addListener<Name extends keyof WebSocket.Events>(
    event: Name,
    listener: (...args: WebSocket.Events[Name]) => void,
  ): this;
  addListener(event: string | symbol, listener: (...args: any[]) => void): this;
  removeListener<Name extends keyof WebSocket.Events>(
    event: Name,
    listener: (...args: WebSocket.Events[Name]) => void,
  ): this;
  removeListener(event: string | symbol, listener: (...args: any[]) => void): this;
}

declare const WebSocketAlias: typeof WebSocket;
interface WebSocketAlias extends WebSocket {}

declare namespace WebSocket {
  /** What a `message` event delivers, by `binaryType`. */
  type RawData = Buffer | ArrayBuffer | Buffer[];
  type Data = string | Buffer | ArrayBuffer | Buffer[];
  type CertMeta = string | string[] | Buffer | Buffer[];

  /** What `send()` accepts. */
  type BufferLike =
    | string
    | number
    | ArrayBufferView
    | ArrayBuffer
    | SharedArrayBuffer
    | Blob
    | readonly any[]
    | { valueOf(): ArrayBuffer | SharedArrayBuffer | Uint8Array | string | readonly number[] }
    | { [Symbol.toPrimitive](hint: string): string };

  interface Events {
    close: [code: number, reason: Buffer];
    error: [error: Error];
    message: [data: RawData, isBinary: boolean];
    open: [];
    ping: [data: Buffer];
    pong: [data: Buffer];
    redirect: [url: string, request: ClientRequest];
    "unexpected-response": [request: ClientRequest, response: IncomingMessage];
    upgrade: [response: IncomingMessage];
  }

  interface SendOptions {
    /** Rejected if it is not that of the role: a client masks its frames, a server does not. */
    mask?: boolean | undefined;
    binary?: boolean | undefined;
    compress?: boolean | undefined;
    fin?: boolean | undefined;
  }

  /** Options of Holdfast, which `ws` does not have. */
  type HoldfastOptions = Pick<
    ConnectionOptions,
    "liveness" | "logger" | "pingInterval" | "pingTimeout" | "writeLimit"
  > & {
    /** When the first ping is sent. @default "interval" */
    readonly firstPing?: "interval" | "open";
  };

  type VerifyClientCallbackSync<Request extends IncomingMessage = IncomingMessage> = (info: {
    origin: string;
    secure: boolean;
    req: Request;
  }) => boolean;

  type VerifyClientCallbackAsync<Request extends IncomingMessage = IncomingMessage> = (
    info: { origin: string; secure: boolean; req: Request },
    callback: (res: boolean, code?: number, message?: string, headers?: OutgoingHttpHeaders) => void,
  ) => void;

  type FinishRequestCallback = (request: ClientRequest, websocket: WebSocket) => void;

  interface CommonOptions {
    allowSynchronousEvents?: boolean | undefined;
    autoPong?: boolean | undefined;
    closeTimeout?: number | undefined;
    /** The keepalive and the like. It is on by default: a ping every 20 s, which must be answered within 20 s. */
    holdfast?: HoldfastOptions | undefined;
    maxPayload?: number | undefined;
    perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
    /** Has no effect: text is always validated. */
    skipUTF8Validation?: boolean | undefined;
    /** Has no effect: Holdfast needs no such limit. */
    maxBufferedChunks?: number | undefined;
    /** Has no effect: Holdfast needs no such limit. */
    maxFragments?: number | undefined;
    /** Has no effect: Holdfast needs no such limit. */
    maxPendingAutoPongs?: number | undefined;
  }

  interface ClientOptions extends CommonOptions, Omit<RequestOptions, "checkServerIdentity" | "method"> {
    checkServerIdentity?: RequestOptions["checkServerIdentity"] | ((servername: string, cert: any) => any);
    finishRequest?: FinishRequestCallback | undefined;
    followRedirects?: boolean | undefined;
    generateMask?(mask: Buffer): void;
    handshakeTimeout?: number | undefined;
    maxRedirects?: number | undefined;
    origin?: string | undefined;
    protocols?: string | string[] | undefined;
    protocolVersion?: number | undefined;
  }

  interface PerMessageDeflateOptions {
    serverNoContextTakeover?: boolean | undefined;
    clientNoContextTakeover?: boolean | undefined;
    serverMaxWindowBits?: number | undefined;
    clientMaxWindowBits?: number | undefined;
    /** `level` and `memLevel` count; the others have no effect. */
    zlibDeflateOptions?: ZlibOptions | undefined;
    /** Has no effect. */
    zlibInflateOptions?: ZlibOptions | undefined;
    threshold?: number | undefined;
    /** Has no effect. */
    concurrencyLimit?: number | undefined;
  }

  interface Event {
    type: string;
    target: WebSocket;
  }

  interface ErrorEvent {
    error: any;
    message: string;
    type: string;
    target: WebSocket;
  }

  interface CloseEvent {
    wasClean: boolean;
    code: number;
    reason: string;
    type: string;
    target: WebSocket;
  }

  interface MessageEvent {
    data: Data;
    type: string;
    target: WebSocket;
  }

  interface WebSocketEventMap {
    open: Event;
    error: ErrorEvent;
    close: CloseEvent;
    message: MessageEvent;
  }

  type Listener<Type> = ((event: Type) => void) | { handleEvent(event: Type): void };

  interface EventListenerOptions {
    once?: boolean | undefined;
  }

  interface ServerOptions<
    U extends typeof WebSocket.WebSocket = typeof WebSocket.WebSocket,
    V extends typeof IncomingMessage = typeof IncomingMessage,
  > extends CommonOptions {
    host?: string | undefined;
    port?: number | undefined;
    backlog?: number | undefined;
    server?: HttpServer<V> | HttpsServer<V> | undefined;
    verifyClient?:
      VerifyClientCallbackAsync<InstanceType<V>> | VerifyClientCallbackSync<InstanceType<V>> | undefined;
    handleProtocols?: (protocols: Set<string>, request: InstanceType<V>) => string | false;
    path?: string | undefined;
    noServer?: boolean | undefined;
    clientTracking?: boolean | undefined;
    WebSocket?: U | undefined;
  }

  type AddressInfo = NetAddress;

  interface ServerEvents<T extends typeof WebSocket.WebSocket, U extends typeof IncomingMessage> {
    close: [];
    connection: [websocket: InstanceType<T>, request: InstanceType<U>];
    error: [error: Error];
    headers: [headers: string[], request: InstanceType<U>];
    listening: [];
    wsClientError: [error: Error, socket: Duplex, request: InstanceType<U>];
  }

  class Server<
    T extends typeof WebSocket.WebSocket = typeof WebSocket.WebSocket,
    U extends typeof IncomingMessage = typeof IncomingMessage,
  > extends EventEmitter {
    options: ServerOptions<T, U>;
    clients: Set<InstanceType<T>>;

    constructor(options?: ServerOptions<T, U>, callback?: () => void);

    address(): AddressInfo | string | null;
    close(callback?: (error?: Error) => void): void;
    handleUpgrade(
      request: InstanceType<U>,
      socket: Duplex,
      upgradeHead: Buffer,
      callback: (client: InstanceType<T>, request: InstanceType<U>) => void,
    ): void;
    shouldHandle(request: InstanceType<U>): boolean | Promise<boolean>;

    on<Name extends keyof ServerEvents<T, U>>(
      event: Name,
      listener: (this: Server<T>, ...args: ServerEvents<T, U>[Name]) => void,
    ): this;
    on(event: string | symbol, listener: (this: Server<T>, ...args: any[]) => void): this;
    once<Name extends keyof ServerEvents<T, U>>(
      event: Name,
      listener: (this: Server<T>, ...args: ServerEvents<T, U>[Name]) => void,
    ): this;
    once(event: string | symbol, listener: (this: Server<T>, ...args: any[]) => void): this;
    off<Name extends keyof ServerEvents<T, U>>(
      event: Name,
      listener: (this: Server<T>, ...args: ServerEvents<T, U>[Name]) => void,
    ): this;
    off(event: string | symbol, listener: (this: Server<T>, ...args: any[]) => void): this;
    addListener<Name extends keyof ServerEvents<T, U>>(
      event: Name,
      listener: (...args: ServerEvents<T, U>[Name]) => void,
    ): this;
    addListener(event: string | symbol, listener: (...args: any[]) => void): this;
    removeListener<Name extends keyof ServerEvents<T, U>>(
      event: Name,
      listener: (...args: ServerEvents<T, U>[Name]) => void,
    ): this;
    removeListener(event: string | symbol, listener: (...args: any[]) => void): this;
  }

  const WebSocketServer: typeof Server;
  interface WebSocketServer extends Server {}
  const WebSocket: typeof WebSocketAlias;
  interface WebSocket extends WebSocketAlias {}

  function createWebSocketStream(websocket: WebSocket, options?: DuplexOptions): Duplex;
}

export = WebSocket;
