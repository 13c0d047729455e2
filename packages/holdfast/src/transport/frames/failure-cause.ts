// Which cause an end is put down to that came from below: from the peer's bytes, or from the operating system.

import { closeCodeOf, type ProtocolFailure } from "../../protocol/extension.js";
import type { CloseCause } from "../../connection/close-info.js";

/** An error as the system's calls give it. */
export type TransportError = Error & { readonly code?: string; readonly syscall?: string };

/** For a peer that broke the rules. */
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

/** For a transport that failed. */
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
