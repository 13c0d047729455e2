// Explains why a connection could not be opened.

import { HandshakeError } from "../../shared/errors.js";
import type { CloseCause, CloseInfo } from "../close-info.js";
import type { Explanation } from "./explanation.js";
import { withoutFullStop } from "../../shared/full-stop.js";

export function explainOpenFailure(info: CloseInfo): Explanation {
  const failure = speaksNoTls(info) ? NO_TLS : (FAILURES[info.cause] ?? UNKNOWN);
  const { happened, likely, advice } = failure;
  return { happened: withDetail(happened, info, failure.isSaidByError === true), likely, advice };
}

/** Appends the error's message, or uses it alone if it already says the same. */
function withDetail(happened: string, { error }: CloseInfo, isSaidByError: boolean): string {
  if (error === null) return happened;
  const detail = withoutFullStop(error.message);
  return isSaidByError && error instanceof HandshakeError ? detail : `${happened}: ${detail}`;
}

/** Whether OpenSSL reports an answer that is not TLS at all. */
function speaksNoTls({ cause, error }: CloseInfo): boolean {
  return cause === "tls" && error?.message.includes("wrong version number") === true;
}

interface OpenFailureExplanation extends Explanation {
  /** The library's errors for this cause begin with what happened. */
  readonly isSaidByError?: true;
}

const UNKNOWN: OpenFailureExplanation = {
  happened: "The connection could not be opened",
  advice: ["See the error for details."],
};

const NO_TLS: OpenFailureExplanation = {
  happened: "The TLS handshake failed",
  isSaidByError: true,
  likely: ["The server at that port does not speak TLS."],
  advice: ["Check the port, and whether the scheme should be `ws:`."],
};

const FAILURES: Partial<Readonly<Record<CloseCause, OpenFailureExplanation>>> = {
  dns: {
    happened: "The host name could not be resolved",
    isSaidByError: true,
    likely: ["The name is misspelt, or the name server cannot be reached."],
    advice: ["Check the URL and the network."],
  },
  refused: {
    happened: "Nothing listens at that address",
    isSaidByError: true,
    likely: ["The server is down or restarting, or the port is wrong."],
    advice: ["Try again later; check the port."],
  },
  tls: {
    happened: "The TLS handshake failed",
    isSaidByError: true,
    likely: [
      "The certificate is not valid for this name, expired, or from an authority that is not trusted here.",
    ],
    advice: ["Fix the certificate, or name its authority in `ca`; retrying does not help."],
  },
  "open-timeout": {
    happened: "The connection was not open within openTimeout",
    isSaidByError: true,
    likely: ["The host is down or overloaded, or a firewall drops the packets."],
    advice: ["Try again later, or raise `openTimeout`."],
  },
  proxy: {
    happened: "The proxy could not be used",
    likely: ["It is down, requires other credentials, or allows no tunnels to this host and port."],
    advice: [
      "Check the option `proxy`, or the variables `https_proxy` and `no_proxy`; `status` and `body` of the error contain the proxy's answer, if there was one.",
    ],
  },
  rejected: {
    happened: "The server refused the upgrade",
    likely: ["The path or the credentials are wrong, or the server limits connections."],
    advice: ["See status, headers and body of the error."],
  },
  eof: {
    happened: "The connection was cut before it was open",
    likely: ["A server that is restarting or overloaded does that as well."],
    advice: ["Try again later; check the port and the path."],
  },
  reset: {
    happened: "The connection was cut before it was open",
    likely: ["The server is restarting or overloaded, or it is not a WebSocket server."],
    advice: ["Try again later; check the port and the path."],
  },
  unreachable: {
    happened: "There is no network route to the server",
    isSaidByError: true,
    likely: ["Its host, a router or this machine's own link is down."],
    advice: ["Check the network, and try again with growing delays."],
  },
  aborted: { happened: "This side gave up before the connection was open" },
};
