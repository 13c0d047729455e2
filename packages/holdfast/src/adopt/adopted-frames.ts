// The transport of an adopted connection, which passes messages to the adapter as bytes. The connection creates it while it
// is constructed, before there is a core that counts its messages.

import type { ConnectionCore } from "../connection/connection-core.js";
import type { MessageTransportHandler } from "../connection/message-transport.js";
import { FrameTransport, type FrameTransportOptions } from "../transport/frames/frame-transport.js";
import { passMessage, type AdoptedHandler } from "./adopted-connection.js";

export class AdoptedFrames {
  readonly #handler: AdoptedHandler;
  #transport: FrameTransport | null = null;
  #core: ConnectionCore | null = null;

  constructor(handler: AdoptedHandler) {
    this.#handler = handler;
  }

  /** Creates the transport. */
  open(options: Omit<FrameTransportOptions, "onBytes">, events: MessageTransportHandler): FrameTransport {
    const onBytes = (payload: Buffer, isText: boolean): void => this.#deliver(payload, isText);
    return (this.#transport = new FrameTransport({ ...options, onBytes }, events));
  }

  /** Sets the core that counts the messages. Returns the transport that `open()` has created. */
  connect(core: ConnectionCore): FrameTransport {
    if (this.#transport === null) throw new Error("Expected a transport that is open, got none.");
    this.#core = core;
    return this.#transport;
  }

  #deliver(payload: Buffer, isText: boolean): void {
    this.#core?.onStreamedMessage();
    passMessage(this.#handler, payload, isText);
  }
}
