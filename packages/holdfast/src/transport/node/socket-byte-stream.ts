// A transport over a socket of Node.js: TCP, TLS, a Unix socket, or any other Duplex stream.

import { Server, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Address, ByteStream, ByteStreamHandler } from "../../connection/ports.js";
import { sharedReadBufferOf, type SharedChunkHandler } from "./shared-read-buffer.js";

/** The fields that sockets have beside those of a Duplex. */
type SocketLike = Duplex & {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
};

const OWNER = Symbol("transport");
type OwnedSocket = SocketLike & { [OWNER]: SocketByteStream };

export class SocketByteStream implements ByteStream, SharedChunkHandler {
  readonly socket: SocketLike;
  #handler: ByteStreamHandler | null = null;
  #addresses: { readonly remote: Address | null; readonly local: Address | null } | null = null;
  #hasEnded = false;
  #awaitsDrain = false;

  /** @param socket with `allowHalfOpen`, so that a FIN of the peer does not end our side by itself */
  constructor(socket: Duplex) {
    this.socket = socket;
  }

  // Asked of the kernel only where somebody wants to know: it costs two system calls a connection.

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
    // Not `writableNeedDrain`: that stays true until the next tick even where the kernel took everything.
    return this.socket.writableLength >= this.socket.writableHighWaterMark;
  }

  /** May be called again: the next handler takes over from the one before, as a connection from its handshake. */
  start(handler: ByteStreamHandler): void {
    const isFirst = this.#handler === null;
    this.#handler = handler;
    if (!isFirst) return;
    // The listeners are shared by all sockets: a closure for each event would cost half a kilobyte a connection.
    (this.socket as OwnedSocket)[OWNER] = this;
    const lent = sharedReadBufferOf(this.socket);
    if (lent === null) this.socket.on("data", onData);
    else lent.start(this);
    this.socket.on("end", onEnd).on("error", onError).on("close", onClose);
    // A stream that somebody paused, as `release` does, does not flow by itself for a new listener.
    this.socket.resume();
  }

  /** Gives the stream back, which must not be one that lends its memory, paused, and `rest` of what was read with it: the next to read it begins there. */
  release(rest: Uint8Array): void {
    this.#handler = null;
    const { socket } = this;
    socket.pause();
    socket.off("data", onData).off("end", onEnd).off("error", onError).off("close", onClose);
    if (rest.length > 0) socket.unshift(rest);
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const { socket } = this;
    if (chunks.length === 1) {
      socket.write(chunks[0]);
    } else {
      socket.cork();
      for (const chunk of chunks) socket.write(chunk);
      socket.uncork();
    }
    if (socket.writableLength === 0) return true;
    if (this.isBlocked && !this.#awaitsDrain) {
      this.#awaitsDrain = true;
      socket.once("drain", onDrain);
    }
    return false;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(isOver: boolean): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    // A socket that is closed still sends what the kernel has, and a FIN behind it. Waiting for the peer's FIN would
    // take another turn of the event loop and three system calls.
    if (isOver && isPlainSocket(this.socket) && this.socket.writableLength === 0) this.socket.destroy();
    else this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #addressPair(): { readonly remote: Address | null; readonly local: Address | null } {
    const { remoteAddress, remotePort, localAddress, localPort } = this.socket;
    if (remoteAddress === undefined) return this.#addresses ?? { remote: null, local: null };
    return (this.#addresses ??= {
      remote: addressOf(remoteAddress, remotePort),
      local: addressOf(localAddress, localPort),
    });
  }

  /** Called for a socket that lends its memory only. */
  onSharedChunk(chunk: Buffer): boolean {
    const handler = this.#handler;
    if (handler?.onSharedChunk !== undefined) return handler.onSharedChunk(chunk);
    handler?.onChunk(Buffer.from(chunk));
    return false;
  }

  /** Called for a socket that lends its memory only. */
  onOwnChunk(chunk: Buffer): void {
    this.#handler?.onChunk(chunk);
  }

  /** Called by the shared listeners only. */
  drained(): void {
    this.#awaitsDrain = false;
    this.#handler?.onDrain();
  }

  /** Called by the shared listeners only. */
  get handler(): ByteStreamHandler | null {
    return this.#handler;
  }
}

/** Node links a socket to the server that accepted it, whose address is a path where it is a Unix socket. */
export function isOfUnixServer(socket: Duplex): boolean {
  const server = "server" in socket ? socket.server : null;
  return server instanceof Server && typeof server.address() === "string";
}

/** Not TLS, which has an end of its own, nor any other stream, whose `destroy()` may lose what was written. */
function isPlainSocket(stream: Duplex): boolean {
  return stream instanceof Socket && !("encrypted" in stream);
}

function addressOf(address: string | undefined, port: number | undefined): Address | null {
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

function onError(this: OwnedSocket, error: Error): void {
  this[OWNER].handler?.onError(error);
}

function onClose(this: OwnedSocket): void {
  this[OWNER].handler?.onClosed();
}
