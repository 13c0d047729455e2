// Checks the addresses that the test tools listen on and connect to.

import { invalidArgument } from "../shared/option-checks.js";

/** @param least 0 where the system may choose a port */
export function checkPort(name: string, value: unknown, least: 0 | 1): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= 65_535) return;
  throw invalidArgument(name, `a port number from ${least} to 65535`, value);
}

export function checkHost(name: string, value: unknown): void {
  if (value === undefined || (typeof value === "string" && value !== "")) return;
  throw invalidArgument(name, "the name or address of a host", value);
}
