// The error of a client whose request about a topic was refused.

import { HoldfastError } from "../../shared/errors.js";

/**
 * Why the server refused: `"forbidden"`: it does not allow this; `"limit"`: this client has too many subscriptions, or
 * too many requests wait; `"invalid"`: the server does not understand the request; `"failed"`: the server failed.
 */
export type TopicRefusal = "failed" | "forbidden" | "invalid" | "limit";

/** The server refused a request about a topic. */
export class TopicError extends HoldfastError {
  static {
    this.prototype.name = "TopicError";
  }

  readonly topic: string;
  readonly reason: TopicRefusal;

  constructor(topic: string, reason: TopicRefusal, details: string) {
    super(
      `The server refused a request about the topic ${JSON.stringify(topic)}: ${details}. ${ADVICE[reason]}`,
      {
        code: "ERR_HOLDFAST_TOPIC",
      },
    );
    this.topic = topic;
    this.reason = reason;
  }
}

const ADVICE: Readonly<Record<TopicRefusal, string>> = {
  failed: "Look into the server's log.",
  forbidden: "Check what `authorize` or `publish` of the server's topics.open() allows.",
  invalid: "Check that client and server have the same version.",
  limit: "Subscribe to fewer topics, or send fewer requests at a time.",
};
