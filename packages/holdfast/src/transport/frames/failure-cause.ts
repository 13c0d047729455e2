// Chooses the close cause for errors of the protocol and of the operating system.

import { closeCodeOf, type ProtocolFailure } from "../../protocol/extension.js";
import type { CloseCause } from "../../connection/close-info.js";
import { NO_ROUTE } from "../../shared/no-route.js";

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

/** The cause for a byte stream that failed: `reset` for an RST, and for an error that is not known here. */
export function causeOfError({ code = "", syscall }: TransportError): CloseCause {
  if (code === "ECONNRESET") return "reset";
  if (NO_ROUTE.has(code)) return "unreachable";
  if (/^ERR_(?:SSL|TLS)_|^EPROTO$/.test(code)) return "tls"; // EPROTO: a write after TLS has failed.
  return code === "EPIPE" || syscall === "write" ? "write-failed" : "reset";
}
