// A byte stream over a socket of Node.js (TCP, TLS or a Unix socket) or any other Duplex stream.

import { Server, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Address, ByteStream, ByteStreamHandler } from "../../connection/ports.js";
import { errorOf } from "../../shared/thrown.js";
import { CloseWatch } from "./close-watch.js";
import { sharedReadBufferOf, type SharedChunkHandler } from "./shared-read-buffer.js";

/** The properties that sockets have in addition to those of a Duplex. */
type SocketLike = Duplex & {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
};

const OWNER = Symbol("transport");
type OwnedSocket = SocketLike & { [OWNER]: SocketByteStream };

/** Whether a connection uses the stream, or has reserved it. Two connections over one stream would corrupt each other. */
export function isInUse(stream: Duplex): boolean {
  return ((stream as { [OWNER]?: unknown })[OWNER] ?? null) !== null;
}

/** Reserves the stream for a connection that starts to use it later. */
export function reserve(stream: Duplex): void {
  Object.assign(stream, { [OWNER]: RESERVED });
}

const RESERVED = "reserved";

export class SocketByteStream implements ByteStream, SharedChunkHandler {
  readonly socket: SocketLike;
  #handler: ByteStreamHandler | null = null;
  #addresses: { readonly remote: Address | null; readonly local: Address | null } | null = null;
  #hasEnded = false;
  #awaitsDrain = false;
  /** Null for sockets of Node.js. */
  #closeWatch: CloseWatch | null = null;

  /** @param socket with `allowHalfOpen`, so that a FIN of the peer does not end our side automatically */
  constructor(socket: Duplex) {
    this.socket = socket;
  }

  // Read only on demand: it takes two system calls per connection.

  get remoteAddress(): Address | null {
    return this.#addressPair().remote;
  }

  get localAddress(): Address | null {
    return this.#addressPair().local;
  }

  get isUnix(): boolean {
    return isOfUnixServer(this.socket);
  }

  get bufferedAmount(): number {
    return this.socket.writableLength;
  }

  get isBlocked(): boolean {
    // Not `writableNeedDrain`: that stays true until the next tick even if the kernel accepted everything.
    return this.socket.writableLength >= this.socket.writableHighWaterMark;
  }

  /**
   * May be called again: the new handler replaces the previous one, as when a connection follows its
   * handshake.
   */
  start(handler: ByteStreamHandler): void {
    const isFirst = this.#handler === null;
    this.#handler = handler;
    if (!isFirst) return;
    // All sockets share the listeners: a closure per event would cost half a kilobyte per connection.
    (this.socket as OwnedSocket)[OWNER] = this;
    const sharedBuffer = sharedReadBufferOf(this.socket);
    if (sharedBuffer === null) this.socket.on("data", onData);
    else sharedBuffer.start(this);
    this.socket.on("end", onEnd).on("error", onError).on("close", onClose);
    if (!(this.socket instanceof Socket))
      this.#closeWatch = new CloseWatch(this.socket, this.#onCloseOverdue);
    // A stream that was paused, as `release` does, does not resume automatically when a listener is added.
    this.socket.resume();
  }

  /**
   * Stops using the stream, pauses it, and puts `rest`, bytes that were already read, back into it for the
   * next reader. The stream must not use the shared read buffer.
   */
  release(rest: Uint8Array): void {
    this.#handler = null;
    const { socket } = this;
    socket.pause();
    socket.off("data", onData).off("end", onEnd).off("error", onError).off("close", onClose);
    this.#closeWatch?.stop();
    Object.assign(socket, { [OWNER]: null });
    if (rest.length > 0) socket.unshift(rest);
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const { socket } = this;
    if (this.#closeWatch !== null && socket.destroyed) this.#closeWatch.begin();
    try {
      if (chunks.length === 1) {
        socket.write(chunks[0]);
      } else {
        socket.cork();
        for (const chunk of chunks) socket.write(chunk);
        socket.uncork();
      }
    } catch (error) {
      this.#fail(error);
      return false;
    }
    if (socket.writableLength === 0) return true;
    if (this.isBlocked && !this.#awaitsDrain) {
      this.#awaitsDrain = true;
      socket.once("drain", onDrain);
    }
    return false;
  }

  pause(): void {
    this.#call("pause");
  }

  resume(): void {
    this.#call("resume");
  }

  end(isOver: boolean): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    // A destroyed socket still sends what the kernel has buffered, followed by a FIN. Waiting for the peer's
    // FIN would take another turn of the event loop and three system calls.
    if (isOver && isPlainSocket(this.socket) && this.socket.writableLength === 0) this.socket.destroy();
    else this.#call("end");
  }

  destroy(): void {
    this.#closeWatch?.begin();
    try {
      this.socket.destroy();
    } catch {
      // A stream of the application, whose end is reported all the same.
    }
  }

  #call(method: "end" | "pause" | "resume"): void {
    try {
      this.socket[method]();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A method of the application's stream has thrown. Reported after the call, as a stream reports its errors. */
  #fail(thrown: unknown): void {
    process.nextTick(() => {
      this.handler?.onError(errorOf(thrown));
      this.destroy();
    });
  }

  readonly #onCloseOverdue = (): void => {
    this.destroy();
    this.closed();
  };

  #addressPair(): { readonly remote: Address | null; readonly local: Address | null } {
    const { remoteAddress, remotePort, localAddress, localPort } = this.socket;
    if (remoteAddress === undefined) return this.#addresses ?? { remote: null, local: null };
    return (this.#addresses ??= {
      remote: addressOf(remoteAddress, remotePort),
      local: addressOf(localAddress, localPort),
    });
  }

  /** Called only for a socket that uses the shared read buffer. */
  onSharedChunk(chunk: Buffer): boolean {
    const handler = this.#handler;
    if (handler?.onSharedChunk !== undefined) return handler.onSharedChunk(chunk);
    handler?.onChunk(Buffer.from(chunk));
    return false;
  }

  /** Called only for a socket that uses the shared read buffer. */
  onOwnChunk(chunk: Buffer): void {
    this.#handler?.onChunk(chunk);
  }

  /** Called only by the shared listeners. */
  drained(): void {
    this.#awaitsDrain = false;
    this.handler?.onDrain();
  }

  /** The stream has closed. Called only by the shared listeners, and for a stream that does not report it. */
  closed(): void {
    const { handler } = this;
    this.#closeWatch?.stop();
    handler?.onClosed();
  }

  /** Called only by the shared listeners. Null once the end was reported. */
  get handler(): ByteStreamHandler | null {
    return this.#closeWatch?.isStopped === true ? null : this.#handler;
  }
}

/** Node links an accepted socket to its server, whose address is a path if it is a Unix socket. */
export function isOfUnixServer(socket: Duplex): boolean {
  const server = "server" in socket ? socket.server : null;
  return server instanceof Server && typeof server.address() === "string";
}

/**
 * False for TLS, which has its own closing sequence, and for other streams, whose `destroy()` may discard
 * written data.
 */
function isPlainSocket(stream: Duplex): boolean {
  return stream instanceof Socket && !("encrypted" in stream);
}

/** Null for a stream without addresses. */
export function addressOf(address: string | undefined, port: number | undefined): Address | null {
  return address === undefined ? null : { address, port: port ?? 0 };
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[OWNER].handler?.onChunk(chunk);
}

function onEnd(this: OwnedSocket): void {
  this[OWNER].handler?.onEof();
}

function onDrain(this: OwnedSocket): void {
  this[OWNER].drained();
}

/** A stream of the application may emit any value, or none. */
function onError(this: OwnedSocket, error: unknown): void {
  this[OWNER].handler?.onError(errorOf(error));
}

function onClose(this: OwnedSocket): void {
  this[OWNER].closed();
}
