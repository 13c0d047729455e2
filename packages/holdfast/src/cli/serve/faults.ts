// The faults that `holdfast serve` can simulate, to test how a client reacts.

import { parseCount, type Arguments } from "../arguments/arguments.js";
import { parseDuration } from "../arguments/duration.js";
import type { OptionSpecs } from "../arguments/option-spec.js";
import { UsageError } from "../arguments/usage-error.js";

/** When a fault occurs: some time after opening, or with the n-th message. */
export type Moment =
  | { readonly kind: "time"; readonly milliseconds: number }
  | { readonly kind: "messages"; readonly count: number };

export interface Faults {
  readonly inhibitPongs: boolean;
  readonly isMute: boolean;
  /** The HTTP status that rejects upgrades; null: upgrades are accepted. */
  readonly refuseWith: number | null;
  /** Milliseconds before each echo. */
  readonly delay: number;
  readonly stallAt: Moment | null;
  readonly dropAt: Moment | null;
  readonly closeAt: Moment | null;
  readonly closeCode: number;
}

export const FAULT_OPTIONS: OptionSpecs = {
  "inhibit-pongs": { help: "never answer pings" },
  "stall-reads": {
    value: "WHEN",
    isValueOptional: true,
    help: "stop reading from the socket, at once or at WHEN",
  },
  "drop-after": { value: "WHEN", help: "cut the TCP connection without a Close" },
  "close-after": { value: "WHEN", help: "close the connection" },
  "close-code": { value: "CODE", help: "the code for --close-after (1000)" },
  delay: { value: "TIME", help: "wait before each echo" },
  mute: { help: "accept TCP connections, but never answer the upgrade" },
  refuse: { value: "STATUS", help: "answer upgrades with this HTTP status, such as 503" },
};

/** @throws UsageError */
export function faultsFrom(given: Arguments): Faults {
  return {
    inhibitPongs: given.has("inhibit-pongs"),
    isMute: given.has("mute"),
    refuseWith: given.count("refuse", null, 300, 599),
    delay: given.duration("delay", 0) ?? 0,
    stallAt: momentFrom(given, "stall-reads"),
    dropAt: momentFrom(given, "drop-after"),
    closeAt: momentFrom(given, "close-after"),
    closeCode: given.closeCode("close-code", 1000),
  };
}

function momentFrom(given: Arguments, name: string): Moment | null {
  const text = given.text(name);
  if (text === undefined) return null;
  if (text === "") return { kind: "messages", count: 0 };
  const count = parseCount(text, 1, Number.MAX_SAFE_INTEGER);
  if (count !== null) return { kind: "messages", count };
  const milliseconds = parseDuration(text, given.unit);
  if (milliseconds !== null) return { kind: "time", milliseconds };
  throw new UsageError(
    `Expected \`--${name}\` to be a number of messages such as 3, or a time such as 500ms or 10s, got "${text}".`,
  );
}
