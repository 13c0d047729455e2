// Chooses the close cause for errors of the protocol and of the operating system.

import { closeCodeOf, type ProtocolFailure } from "../../protocol/extension.js";
import type { CloseCause } from "../../connection/close-info.js";

/** An error of a system call. */
export type TransportError = Error & { readonly code?: string; readonly syscall?: string };

/** The cause for a peer that violated the protocol. */
export function causeOfFailure(failure: ProtocolFailure): CloseCause {
  switch (closeCodeOf(failure)) {
    case 1007:
      return "invalid-data";
    case 1009:
      return "message-too-big";
    default:
      return "protocol-error";
  }
}

/** The cause for a byte stream that failed. */
export function causeOfError(error: TransportError): CloseCause {
  switch (error.code) {
    case "ECONNRESET":
      return "reset";
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ENETDOWN":
      return "unreachable";
    case "EPIPE":
      return "write-failed";
    default:
      return error.syscall === "write" ? "write-failed" : "reset";
  }
}
