// `WebSocketError` of the standard: how a WebSocketStream closed, or should close.

import { checkCloseFrame } from "./arguments.js";
import { toDictionary, toDOMString, toEnforcedShort, toUSVString } from "./conversions.js";
import { describeInterface } from "./interface-members.js";
import type { CloseFrame } from "../shared/close-code.js";

/** The code and reason of a Close frame. */
export interface WebSocketCloseInfo {
  /** 1000 or 3000–4999 to send; as received otherwise. */
  readonly closeCode?: number | undefined;
  /** At most 123 bytes of UTF-8. @default "" */
  readonly reason?: string | undefined;
}

/** Converts the dictionary `WebSocketCloseInfo`, and checks it. Without a code and a reason, the Close is empty (1005). */
export function toCloseFrame(value: unknown): CloseFrame {
  const { closeCode, reason } = toDictionary("closeInfo", value);
  const code = closeCode === undefined ? null : toEnforcedShort("closeCode", closeCode);
  return checkCloseFrame(code, reason === undefined ? "" : toUSVString(reason));
}

/** An error that says how a WebSocketStream closed. As the reason of `abort()` or `cancel()`, it is sent to the peer. */
export class WebSocketError extends DOMException {
  static {
    describeInterface(this, "WebSocketError");
  }

  readonly #closeCode: number | null;
  readonly #reason: string;

  /** @throws DOMException "InvalidAccessError" or "SyntaxError" for a code or reason that may not be sent */
  constructor(message = "", init: WebSocketCloseInfo = {}) {
    super(toDOMString(message), "WebSocketError");
    const { code, reason } = toCloseFrame(init);
    this.#closeCode = code === 1005 ? null : code;
    this.#reason = reason;
  }

  /** The close code; null for none. */
  get closeCode(): number | null {
    return this.#closeCode;
  }

  get reason(): string {
    return this.#reason;
  }
}

/** An error with a code that was received, which may be one that nobody may send. */
export function receivedError(message: string, { code, reason }: CloseFrame): WebSocketError {
  const error = new WebSocketError(message);
  Object.defineProperties(error, {
    closeCode: { value: code, enumerable: true },
    reason: { value: reason, enumerable: true },
  });
  return error;
}
