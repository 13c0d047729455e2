import { connect, type Socket } from "node:net";
import { FrameReader } from "./frame-reader.js";

export interface ConnectionHandler {
  opened(connection: LoadConnection): void;
  /** Called when some messages have arrived at once. */
  received(connection: LoadConnection, messages: number): void;
  pinged?(): void;
  ended(connection: LoadConnection): void;
}

// One buffer for all sockets: each chunk is processed before the next one is read.
const received = Buffer.allocUnsafeSlow(256 * 1024);
const endOfHead = "\r\n\r\n";

/** A WebSocket connection with just enough of the protocol to put load on a server. */
export class LoadConnection {
  readonly #socket: Socket;
  readonly #handler: ConnectionHandler;
  readonly #reader = new FrameReader((payload) => this.#answerPing(payload));
  /** The received part of the upgrade response; null once it is complete. */
  #head: string | null = "";

  constructor(port: number, handler: ConnectionHandler) {
    this.#handler = handler;
    this.#socket = connect({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: { buffer: received, callback: (length) => this.#receive(length) },
    });
    this.#socket.on("error", (error) => fail(error.message));
    this.#socket.on("close", () => handler.ended(this));
    this.#socket.write(request(port));
  }

  write(frames: Buffer): void {
    this.#socket.write(frames);
  }

  #receive(length: number): boolean {
    if (this.#head !== null) return this.#receiveHead(this.#head + received.toString("latin1", 0, length));
    const messages = this.#reader.read(received, length);
    if (messages > 0) this.#handler.received(this, messages);
    return true;
  }

  #receiveHead(head: string): true {
    this.#head = head;
    const end = head.indexOf(endOfHead);
    if (end === -1) return true;
    // The accept value for the key in the request is the example of RFC 6455 section 1.3.
    const isAccepted = head.startsWith("HTTP/1.1 101") && head.includes("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    if (!isAccepted) fail(`the server answered ${head.slice(0, 200)}`);
    this.#head = null;
    this.#handler.opened(this);
    const rest = Buffer.from(head.slice(end + endOfHead.length), "latin1");
    const messages = this.#reader.read(rest, rest.length);
    if (messages > 0) this.#handler.received(this, messages);
    return true;
  }

  // A Pong with the Ping's payload, masked with zeros (RFC 6455 section 5.5.3).
  #answerPing(payload: Buffer): void {
    this.#handler.pinged?.();
    this.#socket.write(Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
  }
}

/** Ends the generator; the runner shows the reason. */
export function fail(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}

function request(port: number): string {
  return [
    "GET / HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    `Origin: http://127.0.0.1:${port}`,
    "",
    "",
  ].join("\r\n");
}
