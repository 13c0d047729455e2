// Explains the close code of a peer that closed the connection.

import type { CloseInfo } from "../close-info.js";
import type { Explanation } from "./explanation.js";
import { ownDelays } from "./own-delays.js";
import { isPeersVerdict } from "./page-codes.js";

export function explainPeerClose(info: CloseInfo): Explanation {
  if (isPeersVerdict(info)) {
    return {
      happened: "The peer declared this side dead, because it saw no pong in time",
      likely: ownDelays(info.evidence),
      advice: ["Reconnect with growing delays."],
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
        advice: ["Please report this with a capture of the traffic: Holdfast should not be able to."],
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
        advice: ["Reconnect with growing delays."],
      };
    case 1012:
    case 1013:
      return {
        happened: "The peer restarts, or has too much to do",
        advice: ["Reconnect later, after a random delay, so that not everybody returns at once."],
      };
    default:
      return { happened: `The peer closed the connection with code ${info.code}` };
  }
}
