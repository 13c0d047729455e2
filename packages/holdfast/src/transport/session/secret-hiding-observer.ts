// Hides the secret of a session from the log and the diagnostics channels: in `resume` of the client, and in `session` and
// `lost` of the server. They are the first message of either end. A peer may send them later by mistake: a later message
// is examined if it begins like one of the link protocol, and may then be hidden as a whole if it is fragmented.

import { BINARY, CONTINUATION, TEXT } from "../../shared/opcode.js";
import type { ObservedFrame } from "../../shared/observed-frame.js";
import type { FrameObserver } from "../../connection/message-transport.js";
import { MARK_CODE } from "../link/link-message.js";

export class SecretHidingObserver implements FrameObserver {
  readonly #observer: FrameObserver;
  readonly #sent = new Messages();
  readonly #received = new Messages();

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

class Messages {
  #isFirst = true;
  /** Whether the current message is hidden; null while it is not known, before its first byte. */
  #isHidden: boolean | null = null;

  hide(frame: ObservedFrame): ObservedFrame {
    const { opcode, isFinal, isCompressed, payload } = frame;
    if (opcode !== TEXT && opcode !== BINARY && opcode !== CONTINUATION) return frame;
    if (payload.length > 0) this.#isHidden ??= this.#isFirst || (payload[0] === MARK_CODE && !isCompressed);
    const isHidden = this.#isHidden === true;
    if (isFinal) {
      this.#isFirst = false;
      this.#isHidden = null;
    }
    if (!isHidden) return frame;
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
