// Explains the close code of a peer that closed the connection.

import type { CloseEvidence, CloseInfo } from "../close-info.js";
import type { Explanation } from "./explanation.js";
import { ownDelays } from "./own-delays.js";
import { isPeersVerdict } from "./page-codes.js";

export function explainPeerClose(info: CloseInfo): Explanation {
  if (isPeersVerdict(info)) {
    const delays = ownDelays(info.evidence);
    return {
      happened: "The peer declared this side dead, because it saw no pong in time",
      likely: delays.length > 0 ? delays : [otherReasons(info.evidence)],
      advice: ["A client should reconnect with growing delays."],
    };
  }
  switch (info.code) {
    case 1000:
    case 1005:
      return { happened: "The peer closed the connection, as it should" };
    case 1001:
      return {
        happened: "The peer is going away",
        likely: ["A server shuts down, or a page was left."],
        advice: ["A client that wants to stay connected should reconnect."],
      };
    case 1002:
    case 1007:
      return {
        happened: "The peer says that this side broke the protocol",
        likely: ["Its reason, if it gave one, says how."],
        advice: [
          "Some servers use this code for data of the application that they cannot parse. If this one does not, please report it with a capture of the traffic: Holdfast should not be able to break the protocol.",
        ],
      };
    case 1008:
      return {
        happened: "The peer closed the connection for a reason of policy",
        likely: ["Credentials expired, a rate limit was hit, or a message was not welcome."],
        advice: ["See the peer's documentation before reconnecting: doing it at once may make things worse."],
      };
    case 1009:
      return {
        happened: "The peer would not take a message of this size",
        advice: ["Send smaller messages, or raise the limit at the peer."],
      };
    case 1011:
      return {
        happened: "The peer failed with an internal error",
        likely: ["Its log says more; a Holdfast server closes so if the handler of the connection throws."],
        advice: ["A client should reconnect with growing delays."],
      };
    case 1012:
    case 1013:
      return {
        happened:
          info.code === 1012
            ? "The peer restarts"
            : "The peer has too much to do, or this side was too slow for it",
        advice: [
          "A client should reconnect later, after a random delay, so that not everybody returns at once.",
        ],
      };
    case 1003:
      return {
        happened: "The peer does not accept this kind of data",
        likely: ["It accepts only text, or only binary messages."],
        advice: ["Send the other kind: a string becomes a text message, bytes become a binary one."],
      };
    case 1010:
      return {
        happened: "The peer needs an extension that this side did not accept",
        advice: ["See its reason for the name. Holdfast has permessage-deflate: the option `compression`."],
      };
    case 1014:
      return {
        happened: "The peer is a gateway, and the server behind it failed or did not answer",
        advice: ["Look at that server; a client should reconnect with growing delays."],
      };
    case 3000: // These three are in IANA's registry of close codes.
    case 3003:
      return {
        happened: info.code === 3000 ? "The peer wants other credentials" : "The peer forbids this",
        advice: ["Sign in again, or see the peer's documentation, before reconnecting."],
      };
    case 3008:
      return { happened: "The peer waited too long for something", advice: ["See its documentation."] };
    default:
      return {
        happened: `The peer closed the connection with code ${info.code}`,
        likely: [
          info.code < 4000
            ? "A framework or library at the peer defines this code."
            : "The application at the peer defines this code.",
        ],
        advice: ["See its documentation."],
      };
  }
}

function otherReasons({ pingInterval }: CloseEvidence): string {
  const busy =
    pingInterval === null
      ? "This process may have been blocked or suspended (it measures that only with keepalive on)"
      : "No delay of this process was measured";
  return `${busy}; else \`autoPong\` is off, or pongs were lost or late on the way.`;
}
