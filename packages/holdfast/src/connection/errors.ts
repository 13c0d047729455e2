// The errors of an established connection. protocol/ and shared/errors.ts have those of opening one.

import { HoldfastError } from "../shared/errors.js";
import type { CloseInfo } from "./close-info.js";

/** The connection ended. `info` says how; `explain(info)` says what to do. */
export abstract class ConnectionClosed extends HoldfastError {
  readonly info: CloseInfo;

  constructor(info: CloseInfo, code: `ERR_HOLDFAST_${string}`) {
    super(info.message, info.error === null ? { code } : { code, cause: info.error });
    this.info = info;
  }
}

/** It ended well: both Close frames were exchanged, with codes in {1000, 1001, 1005}. */
export class ConnectionClosedOK extends ConnectionClosed {
  static {
    this.prototype.name = "ConnectionClosedOK";
  }

  constructor(info: CloseInfo) {
    super(info, "ERR_HOLDFAST_CLOSED_OK");
  }
}

/** It ended in any other way. */
export class ConnectionClosedError extends ConnectionClosed {
  static {
    this.prototype.name = "ConnectionClosedError";
  }

  constructor(info: CloseInfo) {
    super(info, "ERR_HOLDFAST_CLOSED_ERROR");
  }
}

/** The error that reports this end. */
export function connectionClosed(info: CloseInfo): ConnectionClosed {
  return info.ok ? new ConnectionClosedOK(info) : new ConnectionClosedError(info);
}

/** Something did not happen within the time that the caller allowed. */
export class TooSlowError extends HoldfastError {
  static {
    this.prototype.name = "TooSlowError";
  }

  /** The time allowed, in milliseconds. */
  readonly timeout: number;

  constructor(message: string, timeout: number) {
    super(message, { code: "ERR_HOLDFAST_TOO_SLOW" });
    this.timeout = timeout;
  }
}

/** Two callers want something that only one can have. */
export class ConcurrencyError extends HoldfastError {
  static {
    this.prototype.name = "ConcurrencyError";
  }

  constructor(message: string) {
    super(message, { code: "ERR_HOLDFAST_CONCURRENCY" });
  }
}

/** No message arrived within the timeout of `recv()`. */
export function noMessageError(timeout: number): TooSlowError {
  const message = `Expected a message within ${timeout} ms, got none. Nothing is lost: call recv() again.`;
  return new TooSlowError(message, timeout);
}

/** `what` was called while another reader waits. */
export function secondReaderError(what: string): ConcurrencyError {
  return new ConcurrencyError(
    `Expected one reader at a time, got ${what} while another recv(), iteration or forEach() waits for a message.`,
  );
}
