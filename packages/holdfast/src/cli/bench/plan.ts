// What `holdfast bench` was asked to do.

import type { Arguments } from "../arguments/arguments.js";
import type { OptionSpecs } from "../arguments/option-spec.js";

/** Durations in milliseconds. */
export interface Plan {
  readonly connections: number;
  /** Messages in flight on each connection at most. */
  readonly depth: number;
  /** Bytes of each message. */
  readonly size: number;
  readonly isBinary: boolean;
  readonly duration: number;
  /** Ends after so many messages, if that comes first. */
  readonly messages: number;
  /** Messages per second on all connections together; null: each echo is answered with the next message. */
  readonly rate: number | null;
  /** How long an echo may take. */
  readonly timeout: number;
}

export const PLAN_OPTIONS: OptionSpecs = {
  connections: { short: "c", value: "N", help: "how many connections (10)" },
  depth: { short: "p", value: "N", help: "messages in flight on each at most (1; 1000 with --rate)" },
  size: { short: "s", value: "BYTES", help: "of each message, such as 64 or 16k (64)" },
  binary: { help: "binary messages instead of text" },
  duration: { short: "d", value: "TIME", help: "how long to send (10s)" },
  messages: { short: "n", value: "N", help: "stop after so many messages, if that comes first" },
  rate: {
    short: "r",
    value: "N",
    help: "so many messages per second on all connections together, answered or not",
  },
  timeout: { short: "W", value: "TIME", help: "how long an echo may take (5s)" },
};

const MOST_CONNECTIONS = 100_000;
const MOST_BYTES = 64 * 1024 * 1024;

/** @throws UsageError */
export function planFrom(given: Arguments): Plan {
  const rate = given.count<number | null>("rate", null, 1, 10_000_000);
  return {
    connections: given.count("connections", 10, 1, MOST_CONNECTIONS),
    depth: given.count("depth", rate === null ? 1 : 1000, 1, 1_000_000),
    size: given.size("size", 64, 0, MOST_BYTES),
    isBinary: given.has("binary"),
    duration: given.time("duration", 10_000),
    messages: given.count("messages", Infinity),
    rate,
    timeout: given.time("timeout", 5000),
  };
}
