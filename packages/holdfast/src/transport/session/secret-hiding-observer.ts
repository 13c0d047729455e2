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

/** The secret of `session ID SECRET`, `resume ID SECRET` or `lost REASON ID SECRET`, with numbers (in base 36) after it. */
const SECRET = /(?<=^.(?:session|resume|lost \S+) [\w-]{12} )[\w-]{22}(?=(?: [\da-z]{1,11})*$)/s;

/** In any other form, the secret may be anywhere after such a word. `resumed` has only numbers. */
const AFTER_WORD = /(?<=^[^a-z]*(?:session|resume|lost))(?!d(?: [\da-z]{1,11})*$).+/is;

const ASTERISK = 0x2a;

function withoutSecret(payload: Uint8Array): Uint8Array {
  // Latin-1, so that the indices are those of the bytes.
  const text = String.fromCharCode(...payload.subarray(0, LONGEST));
  const secret = SECRET.exec(text);
  if (secret !== null) return payload.slice().fill(ASTERISK, secret.index, secret.index + secret[0].length);
  const rest = AFTER_WORD.exec(text);
  return rest === null ? payload : payload.slice().fill(ASTERISK, rest.index);
}

/** Bytes of a message that are searched: a longer one is not a word of a session. */
const LONGEST = 4096;
