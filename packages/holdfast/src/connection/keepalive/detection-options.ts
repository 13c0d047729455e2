// The option `detection`, and its check.

import type { DetectionSettings } from "../../heartbeat/detection-settings.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { describe, invalidArgument, requireDuration } from "../../shared/option-checks.js";
import { checkOptionNames, type OptionNames } from "../../shared/option-names.js";

/** Limits of adaptive detection. Durations are milliseconds. */
export interface DetectionOptions {
  /** A peer is never declared dead after less silence than this; at most `pingTimeout`. @default 3000 */
  readonly floor?: number | undefined;
  /**
   * The longest time between two pings, while no message passes or the page is hidden. @default `pingInterval`: 20000
   */
  readonly maxPeriod?: number | undefined;
}

const DETECTION_OPTIONS: OptionNames<DetectionOptions> = { floor: true, maxPeriod: true };

const FLOOR = 3_000;

/**
 * Null for fixed detection.
 * @throws InvalidArgumentError
 */
export function checkDetection(
  value: unknown,
  pingInterval: number | null,
  pingTimeout: number | null,
): DetectionSettings | null {
  if (value === undefined || value === "fixed") return null;
  if (value !== "adaptive" && (typeof value !== "object" || value === null || Array.isArray(value))) {
    throw invalidArgument(
      "detection",
      '"fixed", "adaptive", or an object with `floor` and `maxPeriod`',
      value,
    );
  }
  if (pingInterval === null) {
    throw new InvalidArgumentError(
      `Expected no \`detection\` but "fixed" beside \`pingInterval: null\`, which sends no ping to measure, got ${describe(value)}.`,
    );
  }
  const options: DetectionOptions = value === "adaptive" ? {} : value;
  checkOptionNames("`detection`", options, DETECTION_OPTIONS);
  return {
    floor: checkFloor(options.floor, pingTimeout),
    maxPeriod:
      options.maxPeriod === undefined
        ? pingInterval
        : requireDuration("detection.maxPeriod", options.maxPeriod),
  };
}

function checkFloor(value: unknown, pingTimeout: number | null): number {
  const limit = pingTimeout ?? Infinity;
  if (value === undefined) return Math.min(FLOOR, limit);
  const floor = requireDuration("detection.floor", value);
  if (floor <= limit) return floor;
  throw invalidArgument("detection.floor", `at most \`pingTimeout\` (${limit})`, value);
}
