// The base of scripted clients and servers: bytes, frames and ends, sent and received as a test wants.

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { type PeerCertificate, TLSSocket } from "node:tls";
import { type BytesLike, toBytes } from "../bytes.js";
import { reset } from "../reset.js";
import { withTimeout } from "../with-timeout.js";
import { closePayload, frame, type FrameOptions, OPCODE, parseFrame, type RawFrame } from "./frame.js";
import { type Head, parseHead } from "./head.js";
import { type Found, Inbox } from "./inbox.js";

/** How a connection ended, as this peer saw it: by the other side's FIN or RST, or by this peer itself. */
export type RawEnd = "fin" | "rst" | "closed";

/** Options of every call that waits. */
export interface WaitOptions {
  /** Milliseconds to wait before the call rejects. @default the peer's `timeout`: 20,000 */
  readonly timeout?: number | undefined;
}

/** Options of a `RawPeer` over sockets of your own. */
export interface RawPeerOptions {
  /** The TCP connection, or the TLS connection over it. */
  readonly stream: Socket;
  /** The TCP connection: the same as `stream` without TLS. Only it can send an RST. */
  readonly tcp: Socket;
  /** Whether frames are masked by default, as those of a client must be (RFC 6455 section 5.1). */
  readonly isMasking: boolean;
  /** Milliseconds for every wait, unless a call sets another limit. */
  readonly timeout: number;
}

/**
 * One end of a connection that only follows a script, valid or not. It does not answer pings
 * automatically, and does not end when the other side does. Every wait has a timeout, in real time. A read rejects with
 * an Error after the timeout, and once the connection has ended before everything arrived.
 */
export class RawPeer implements AsyncDisposable {
  /** Resolves once the other side ended its sending (`fin`), reset the connection, or this peer closed it. */
  readonly ended: Promise<RawEnd>;
  readonly #stream: Socket;
  readonly #tcp: Socket;
  readonly #isMasking: boolean;
  readonly #timeout: number;
  readonly #inbox = new Inbox();
  readonly #closed: Promise<void>;
  #lastWrite: Promise<void> = Promise.resolve();

  constructor({ stream, tcp, isMasking, timeout }: RawPeerOptions) {
    this.#stream = stream;
    this.#tcp = tcp;
    this.#isMasking = isMasking;
    this.#timeout = timeout;
    this.#closed = new Promise((resolve) => stream.once("close", resolve));
    this.ended = new Promise((resolve) => {
      const end = (how: RawEnd) => {
        this.#inbox.end(how);
        resolve(how);
      };
      stream.on("end", () => {
        end("fin");
      });
      stream.on("error", ({ code }: NodeJS.ErrnoException) => {
        if (code === "ECONNRESET" || code === "EPIPE") end("rst");
      });
      stream.on("close", () => {
        end("closed");
      });
    });
    stream.setNoDelay(true);
    stream.on("data", (chunk: Buffer) => {
      this.#inbox.push(chunk);
    });
  }

  /** The common name in the other side's certificate; null if it sent none. */
  get clientCertificate(): string | null {
    if (!(this.#stream instanceof TLSSocket)) return null;
    // An empty object stands for none, whatever the types say.
    const certificate: Partial<PeerCertificate> = this.#stream.getPeerCertificate();
    return [certificate.subject?.CN ?? []].flat().join(", ") || null;
  }

  /** All bytes received so far, read or not. */
  get received(): Uint8Array {
    return this.#inbox.received;
  }

  /** The number of bytes received so far, read or not. */
  get receivedLength(): number {
    return this.#inbox.receivedLength;
  }

  /** Reads exactly `length` bytes. */
  read(length: number, options: WaitOptions = {}): Promise<Uint8Array> {
    return this.#take(`${length} bytes`, options, (unread) =>
      unread.length < length ? null : { value: toBytes(unread.subarray(0, length)), length },
    );
  }

  /** Reads up to the delimiter, which is part of the result. */
  readUntil(delimiter: string, options: WaitOptions = {}): Promise<string> {
    return this.#take(JSON.stringify(delimiter), options, (unread) => {
      const text = Buffer.from(unread).toString("latin1");
      const length = text.indexOf(delimiter) + delimiter.length;
      return length < delimiter.length ? null : { value: text.slice(0, length), length };
    });
  }

  /** Reads the head of an HTTP request or response. */
  async readHead(options: WaitOptions = {}): Promise<Head> {
    return parseHead(await this.readUntil("\r\n\r\n", options));
  }

  /** Reads a WebSocket frame. */
  readFrame(options: WaitOptions = {}): Promise<RawFrame> {
    return this.#take("a frame", options, parseFrame);
  }

  /** Reads until the other side ends its sending. */
  readToEnd(options: WaitOptions = {}): Promise<Uint8Array> {
    return this.#take("the end", options, (unread, isEnded) =>
      isEnded ? { value: toBytes(unread), length: unread.length } : null,
    );
  }

  /**
   * Stops reading, so that the kernel's buffers fill, and then the sender's. The end of the connection is not
   * noticed either.
   */
  stopReading(): void {
    this.#stream.pause();
  }

  /** Reads again after `stopReading()`. */
  resumeReading(): void {
    this.#stream.resume();
  }

  /** Writes in one piece, without waiting; `flushed` waits. A string stands for its latin1 bytes. */
  write(data: BytesLike): void {
    // `ended` reports a failure.
    this.#lastWrite = new Promise((resolve) => {
      this.#stream.write(toBytes(data), () => {
        resolve();
      });
    });
  }

  /** Writes each byte separately, one per turn of the event loop, so that the reader gets one at a time. */
  async writeBytewise(data: BytesLike): Promise<void> {
    for (const byte of toBytes(data)) {
      this.write(Uint8Array.of(byte));
      await this.flushed();
      await nextTurn();
    }
  }

  /** Resolves once the kernel has accepted everything written, or never will. */
  flushed({ timeout = this.#timeout }: WaitOptions = {}): Promise<void> {
    return withTimeout(this.#lastWrite, timeout, "the kernel to take what was written");
  }

  /** Does nothing for that many milliseconds of real time. */
  async pause(ms: number): Promise<void> {
    await sleep(ms);
  }

  /** The bytes of a frame, masked by default in the client role only, and as invalid as the options make it. */
  frame(options: FrameOptions): Uint8Array {
    return frame({ mask: this.#isMasking, ...options });
  }

  /** Sends a frame, as invalid as the options make it. */
  sendFrame(options: FrameOptions): void {
    this.write(this.frame(options));
  }

  /** Sends a text message in one frame. */
  sendText(text: string): void {
    this.sendFrame({ opcode: OPCODE.text, payload: Buffer.from(text, "utf8") });
  }

  /** Sends a binary message in one frame. */
  sendBinary(payload: BytesLike): void {
    this.sendFrame({ opcode: OPCODE.binary, payload });
  }

  /** Sends a Ping, with up to 125 bytes if it should be valid. */
  sendPing(payload: BytesLike = ""): void {
    this.sendFrame({ opcode: OPCODE.ping, payload });
  }

  /** Sends a Pong, asked for or not. */
  sendPong(payload: BytesLike = ""): void {
    this.sendFrame({ opcode: OPCODE.pong, payload });
  }

  /** Sends a Close frame; without a code it is empty. */
  sendClose(code?: number, reason?: string): void {
    this.sendFrame({ opcode: OPCODE.close, payload: closePayload(code, reason) });
  }

  /** Ends the sending side (FIN) after the written bytes; reading continues. */
  end(): void {
    this.#stream.end();
  }

  /**
   * Turns the connection into a tunnel to `target`. Bytes that were received but not read are sent there first. When one
   * side ends, so does the other.
   */
  tunnelTo(target: Duplex): void {
    const unread = toBytes(this.#inbox.unread);
    this.#stream.removeAllListeners("data");
    if (unread.length > 0) target.write(unread);
    this.#stream.pipe(target);
    target.pipe(this.#stream);
    this.#stream.on("close", () => target.destroy());
    target.on("close", () => this.#stream.destroy());
  }

  /**
   * Resets the connection (RST). If the reader should receive bytes first, write them and `pause` for a few
   * milliseconds before the reset: bytes still in the kernel are lost, and libuv reports bytes together with
   * an RST as a FIN.
   */
  reset(): void {
    if (this.#stream === this.#tcp) {
      reset(this.#tcp);
    } else {
      // resetAndDestroy() on the TCP connection below TLS crashes Node, and a TLS connection rejects it. It
      // sets this undocumented property, which turns the destruction that the TLS connection passes down into
      // an RST.
      Object.assign(this.#tcp, { resetAndClosing: true });
      this.#stream.destroy();
    }
  }

  /** Closes both directions at once; resolves once the socket is closed. Idempotent. */
  async close(): Promise<void> {
    this.#stream.destroy();
    this.#tcp.destroy();
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #take<T>(
    what: string,
    { timeout = this.#timeout }: WaitOptions,
    find: (unread: Uint8Array, isEnded: boolean) => Found<T> | null,
  ): Promise<T> {
    return this.#inbox.take(what, timeout, find);
  }
}
