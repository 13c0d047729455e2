// Hides the secret of a session from the log and the diagnostics channels. Only the first message of either end has it:
// `resume` of the client; `session` or `lost` of the server.

import { BINARY, CONTINUATION, TEXT } from "../../shared/opcode.js";
import type { ObservedFrame } from "../../shared/observed-frame.js";
import type { FrameObserver } from "../../connection/message-transport.js";

export class SecretHidingObserver implements FrameObserver {
  readonly #observer: FrameObserver;
  readonly #sent = new FirstMessage();
  readonly #received = new FirstMessage();

  constructor(observer: FrameObserver) {
    this.#observer = observer;
  }

  onFrameSent(frame: ObservedFrame): void {
    this.#observer.onFrameSent(this.#sent.hide(frame));
  }

  onFrameReceived(frame: ObservedFrame): void {
    this.#observer.onFrameReceived(this.#received.hide(frame));
  }
}

class FirstMessage {
  #isOver = false;

  hide(frame: ObservedFrame): ObservedFrame {
    const { opcode, isFinal, isCompressed, payload } = frame;
    if (this.#isOver || (opcode !== TEXT && opcode !== BINARY && opcode !== CONTINUATION)) return frame;
    this.#isOver = isFinal;
    // A secret that is compressed, or cut by a fragment, is not found: then nothing is shown.
    const isWhole = opcode !== CONTINUATION && isFinal && !isCompressed;
    return { ...frame, payload: isWhole ? withoutSecret(payload) : payload.slice().fill(ASTERISK) };
  }
}

/** `session ID SECRET`, `resume ID SECRET` or `lost REASON ID SECRET`, after SYN (any character, as far as this matters). */
const SECRET = /(?<=^.(?:session|resume|lost [^ ]*) [^ ]* )[^ ]+/s;

const ASTERISK = 0x2a;

function withoutSecret(payload: Uint8Array): Uint8Array {
  // Latin-1, so that the indices are those of the bytes.
  const match = SECRET.exec(String.fromCharCode(...payload.subarray(0, LONGEST)));
  if (match === null) return payload;
  return payload.slice().fill(ASTERISK, match.index, match.index + match[0].length);
}

/** Bytes of a message that are searched: a longer one is not a word of a session. */
const LONGEST = 4096;
