// A connection was not open in time: what the step that took the time makes likely.

import type { OpenPhase, OpenTimeoutError } from "../../shared/errors.js";
import type { Finding } from "./explanation.js";

export function explainTimeout(error: OpenTimeoutError | null): Finding {
  return {
    likely: [error === null ? STEPS.connect : STEPS[error.phase]],
    advice: ["Try again later, or raise `openTimeout`."],
  };
}

const STEPS: Readonly<Record<OpenPhase, string>> = {
  dns: "No name server answered: the network or the resolver of this machine does not work.",
  connect: "The host is down or overloaded, or a firewall drops the packets.",
  proxy:
    "The proxy accepted the connection and then hung, cannot reach the server, or is of another kind than the scheme of its URL says.",
  tls: "The server accepted the connection and then did not speak TLS: it hangs, is overloaded, or speaks another protocol on that port.",
  upgrade:
    "The server accepted the connection and did not answer the request: it hangs, is overloaded, or speaks another protocol on that port.",
};
