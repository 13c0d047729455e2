// Checks the arguments of a fault proxy: a rate of 0 or a misspelt direction would make a test pass for the wrong reason.

import { invalidArgument, requireChoice, requireDuration } from "../../shared/option-checks.js";
import { requireOptions, type OptionNames } from "../../shared/option-names.js";
import type { AcceptMode, CutOptions, Direction, Faults } from "./faults.js";

const FAULTS: OptionNames<Faults> = {
  delay: true,
  bytesPerSecond: true,
  chunkSize: true,
  flow: true,
  isFinHeld: true,
};
const CUT_OPTIONS: OptionNames<CutOptions> = { kind: true, after: true };
const CUT_AFTER: OptionNames<NonNullable<CutOptions["after"]>> = { direction: true, bytes: true };
const DIRECTIONS: readonly Direction[] = ["toServer", "toClient"];
const FLOWS: readonly Faults["flow"][] = ["open", "frozen", "blackholed"];
const MODES: readonly AcceptMode[] = ["forward", "close", "reset", "mute"];
const FREEZE = "Use freeze() for a link that forwards nothing.";

/** @throws InvalidArgumentError */
export function checkFaults(faults: Partial<Faults>, direction: Direction | undefined): void {
  requireOptions("set()", faults, FAULTS);
  const { delay, bytesPerSecond, chunkSize, flow, isFinHeld } = faults;
  if ("delay" in faults && delay !== 0) requireDuration("delay", delay);
  if (
    "bytesPerSecond" in faults &&
    bytesPerSecond !== null &&
    !(isNumber(bytesPerSecond) && bytesPerSecond > 0)
  )
    throw invalidArgument("bytesPerSecond", "a positive number or null", bytesPerSecond, FREEZE);
  if ("chunkSize" in faults && chunkSize !== null && !(isWhole(chunkSize) && chunkSize > 0))
    throw invalidArgument("chunkSize", "a positive whole number or null", chunkSize, FREEZE);
  if ("flow" in faults) requireChoice("flow", flow, FLOWS);
  if ("isFinHeld" in faults && typeof isFinHeld !== "boolean")
    throw invalidArgument("isFinHeld", "true or false", isFinHeld);
  checkDirection(direction);
}

/** @throws InvalidArgumentError */
export function checkDirection(direction: Direction | undefined): void {
  if (direction !== undefined) requireChoice("direction", direction, DIRECTIONS);
}

/** @throws InvalidArgumentError */
export function checkCut(options: CutOptions): void {
  requireOptions("cut()", options, CUT_OPTIONS);
  requireChoice("kind", options.kind, ["fin", "rst"]);
  if (options.after === undefined) return;
  requireOptions("`after` of cut()", options.after, CUT_AFTER);
  requireChoice("after.direction", options.after.direction, DIRECTIONS);
  const { bytes } = options.after;
  if (!(isWhole(bytes) && bytes >= 0))
    throw invalidArgument("after.bytes", "a whole number from 0 on", bytes);
}

/** @throws InvalidArgumentError */
export function checkMode(mode: AcceptMode): void {
  requireChoice("mode", mode, MODES);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
