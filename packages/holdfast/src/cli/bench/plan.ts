// The settings of a run of `holdfast bench`.

import type { Arguments } from "../arguments/arguments.js";
import type { OptionSpecs } from "../arguments/option-spec.js";

/** Durations in milliseconds. */
export interface Plan {
  readonly connections: number;
  /** Maximum number of messages in flight on each connection. */
  readonly depth: number;
  /** Bytes of each message. */
  readonly size: number;
  readonly isBinary: boolean;
  readonly duration: number;
  /** Stops after this many messages, if that comes before `duration`. */
  readonly messages: number;
  /** Messages per second on all connections together; null: each echo triggers the next message. */
  readonly rate: number | null;
  /** How long an echo may take. */
  readonly timeout: number;
}

export const PLAN_OPTIONS: OptionSpecs = {
  connections: { short: "c", value: "N", help: "number of connections (10)" },
  depth: { short: "p", value: "N", help: "messages in flight per connection (1; 1000 with --rate)" },
  size: { short: "s", value: "BYTES", help: "size of each message, such as 64 or 16k (64)" },
  binary: { help: "send binary messages instead of text" },
  duration: { short: "d", value: "TIME", help: "how long to send (10s)" },
  messages: { short: "n", value: "N", help: "stop after this many messages, if that comes first" },
  rate: {
    short: "r",
    value: "N",
    help: "messages per second on all connections together, answered or not",
  },
  timeout: { short: "W", value: "TIME", help: "time limit for an echo (5s)" },
};

const MAX_CONNECTIONS = 100_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** @throws UsageError */
export function planFrom(given: Arguments): Plan {
  const rate = given.count<number | null>("rate", null, 1, 10_000_000);
  return {
    connections: given.count("connections", 10, 1, MAX_CONNECTIONS),
    depth: given.count("depth", rate === null ? 1 : 1000, 1, 1_000_000),
    size: given.size("size", 64, 0, MAX_BYTES),
    isBinary: given.has("binary"),
    duration: given.time("duration", 10_000),
    messages: given.count("messages", Infinity),
    rate,
    timeout: given.time("timeout", 5000),
  };
}
