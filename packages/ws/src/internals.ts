// The fields `_receiver` and `_sender` of `ws`, as far as other packages read them.

import { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import type { Callback, Outgoing } from "./outgoing.js";

/** `_receiver`: its limits, and the event `conclude` (code, reason) when the Close of the peer arrives. */
export class ReceiverView extends EventEmitter {
  readonly _maxPayload: number;
  readonly _extensions: Readonly<Record<string, { readonly _maxPayload: number }>>;

  constructor(maxPayload: number, isCompressed: boolean) {
    super();
    this._maxPayload = maxPayload;
    this._extensions = isCompressed ? { "permessage-deflate": { _maxPayload: maxPayload } } : {};
  }
}

/** `_sender`. Socket.IO encodes a broadcast once, and passes the frame to `sendFrame()` of each socket. */
export class SenderView {
  readonly _socket: Duplex;
  readonly #outgoing: Outgoing;

  constructor(outgoing: Outgoing, socket: Duplex) {
    this.#outgoing = outgoing;
    this._socket = socket;
  }

  get _bufferedBytes(): number {
    return this.#outgoing.encodingBytes;
  }

  /**
   * Sends a message that `Sender.frame()` of `ws` has framed.
   *
   * @param list a header, and the payload
   * @throws TypeError for a frame that is not a whole, unmasked and uncompressed message
   */
  sendFrame([header, ...payload]: readonly Buffer[], callback?: Callback): void {
    const opcode = messageOpcode(header);
    if (opcode === null || payload.length !== 1) {
      throw new TypeError(
        "Expected the header and the payload of an unmasked message in one frame, got another list. Use send().",
      );
    }
    this.#outgoing.send(payload[0], { binary: opcode === BINARY, compress: false }, callback);
  }
}

const TEXT = 1;
const BINARY = 2;

/** The opcode of a message in one frame, without a mask or reserved bits (RFC 6455 section 5.2); null for others. */
function messageOpcode(header: Uint8Array | undefined): number | null {
  const [first = 0, second = 0x80] = header ?? [];
  const opcode = first & 0x7f;
  return first >= 0x80 && (opcode === TEXT || opcode === BINARY) && second < 0x80 ? opcode : null;
}
