// Options of a client, beside those of its connections.

import type { OptionNames } from "../shared/option-names.js";
import { checkDuration } from "../shared/option-checks.js";

/** What makes an event stream of a connection. */
export interface StreamOptions {
  /** Milliseconds between two `poll` events; null for none. @default 5000 */
  readonly pollInterval?: number | null;
}

export const STREAM_OPTIONS: OptionNames<StreamOptions> = { pollInterval: true };

/** @throws InvalidArgumentError */
export function checkPollInterval(options: StreamOptions): number | null {
  return checkDuration("pollInterval", options.pollInterval, 5_000);
}
