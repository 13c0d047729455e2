// Explains why a connection could not be opened.

import {
  HandshakeError,
  InvalidStatusError,
  InvalidUpgradeError,
  NegotiationError,
  OpenTimeoutError,
  ProxyError,
  RedirectError,
  type OpenPhase,
} from "../../shared/errors.js";
import { isLocalError } from "../../shared/is-local-error.js";
import { withoutFullStop } from "../../shared/full-stop.js";
import type { CloseCause } from "../close-info.js";
import type { Explanation, Finding } from "./explanation.js";
import { explainProxy } from "./proxy-failure.js";
import { explainRedirect, explainStatus } from "./refusal.js";
import { explainDns, explainRefused, explainUnreachable } from "./system-failure.js";
import { explainTls } from "./tls-failure.js";

export function explainOpenFailure(cause: CloseCause, error: Error | null): Explanation {
  return { happened: happenedOf(cause, error), ...findingOf(cause, error) };
}

/** The error's message, which says what happened if the error is the library's; otherwise after words for the cause. */
function happenedOf(cause: CloseCause, error: Error | null): string {
  const happened = HAPPENED[cause] ?? "The connection could not be opened";
  if (error === null) return happened;
  const detail = withoutFullStop(error.message);
  if (isLocalError(error)) return `The connection could not be opened: ${detail}`;
  const saysAll = SAID_BY_ERROR.has(cause) && error instanceof HandshakeError;
  return saysAll ? detail : `${happened}: ${detail}`;
}

function findingOf(cause: CloseCause, error: Error | null): Finding {
  if (error !== null && isLocalError(error)) {
    return { advice: "Correct it; nothing has reached the network." };
  }
  switch (cause) {
    case "dns":
      return explainDns(error);
    case "refused":
      return explainRefused(error);
    case "unreachable":
      return explainUnreachable(error);
    case "tls":
      return explainTls(error);
    case "open-timeout":
      return {
        likely: STEPS[error instanceof OpenTimeoutError ? error.phase : "connect"],
        advice: "Try again later, or raise `openTimeout`.",
      };
    case "proxy":
      return explainProxy(error instanceof ProxyError ? error : null);
    case "rejected":
      if (error instanceof RedirectError) return explainRedirect(error);
      return explainStatus(error instanceof InvalidStatusError ? error : null);
    case "invalid-handshake":
      return explainInvalidAnswer(error);
    case "eof":
    case "reset":
      return explainCutEarly(error);
    default:
      return {};
  }
}

function explainInvalidAnswer(error: Error | null): Finding {
  if (error instanceof NegotiationError) {
    return { advice: "Make both sides agree on the subprotocols and extensions." };
  }
  if (!(error instanceof InvalidUpgradeError)) return {};
  if (/at most \d+ (?:bytes|header fields)/.test(error.message)) {
    return {
      likely: "The answer is larger than this side accepts, such as one with many or long cookies.",
      advice:
        "Make the server send less; `maxHandshakeSize` is the limit in bytes, that for the fields is fixed.",
    };
  }
  return {
    likely:
      "The program on that port is not a WebSocket server, or a proxy or cache in between changed the answer.",
    advice: "Check the host, the port and the path, and whether the scheme should be `ws:` or `wss:`.",
  };
}

function explainCutEarly(error: Error | null): Finding {
  if (error?.message.includes("HTTP/2 stream") === true) {
    return {
      likely:
        "The server, or a proxy in front of it, gave up on this request: it failed, or does not accept WebSockets over HTTP/2.",
      advice: "Try again later, or leave out `http2`.",
    };
  }
  const isSecure = error?.message.includes("wss:") === true;
  const other = isSecure
    ? "does not know the host name, or that demands a client certificate"
    : "expects TLS (`wss:`), or that is not a WebSocket server";
  return {
    likely: `A server that is restarting or overloaded does that, and so does one that ${other}.`,
    advice: "Try again later; check the scheme, the port and the path.",
  };
}

const HAPPENED: Partial<Readonly<Record<CloseCause, string>>> = {
  aborted: "This side gave up before the connection was open",
  dns: "The host name could not be resolved",
  eof: "The connection was cut before it was open",
  "open-timeout": "The connection was not open within openTimeout",
  proxy: "The proxy could not be used",
  refused: "Nothing listens at that address",
  rejected: "The server refused the upgrade",
  reset: "The connection was cut before it was open",
  tls: "The TLS handshake failed",
  unreachable: "There is no network route to the server",
};

/** The library's errors for these causes begin with what happened. */
const SAID_BY_ERROR: ReadonlySet<CloseCause> = new Set([
  "dns",
  "open-timeout",
  "refused",
  "tls",
  "unreachable",
]);

/** The likely reason, by the step that took the time. */
const STEPS: Readonly<Record<OpenPhase, string>> = {
  dns: "No name server answered: the network or the resolver of this machine does not work.",
  connect: "The host is down or overloaded, or a firewall drops the packets.",
  proxy:
    "The proxy accepted the connection and then hung, cannot reach the server, or is of another kind than the scheme of its URL says.",
  tls: "The server accepted the connection and then did not speak TLS: it hangs, is overloaded, or speaks another protocol on that port.",
  upgrade:
    "The server accepted the connection and did not answer the request: it hangs, is overloaded, or speaks another protocol on that port.",
};
