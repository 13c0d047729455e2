// The options of calls, and their checks.

import { checkBoolean, checkChoice, checkDuration, checkSignal } from "../shared/option-checks.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import type { CallOptions, PingOptions, ReceiveOptions, SendOptions } from "./connection.js";
import type { SendSettings } from "./message-transport.js";
import type { WaitOptions } from "./reading/readers.js";

export const CALL_OPTIONS: OptionNames<CallOptions> = { signal: true };
export const SEND_OPTIONS: OptionNames<SendOptions> = { signal: true, compress: true, until: true };
const WAIT_OPTIONS: OptionNames<PingOptions & ReceiveOptions> = { signal: true, timeout: true };

/** @throws InvalidArgumentError */
export function checkSendOptions(
  options: SendOptions,
  names: Readonly<Record<string, true>> = SEND_OPTIONS,
): SendSettings {
  checkOptionNames("send()", options, names);
  const mayEncode = checkBoolean("compress", options.compress, true);
  const until = checkChoice("until", options.until, ["sent", "delivered"], "sent");
  return { mayEncode, signal: checkSignal(options.signal), receipt: null, until };
}

/** @throws InvalidArgumentError */
export function checkWaitOptions(
  what: string,
  options: PingOptions | ReceiveOptions | undefined,
): WaitOptions {
  checkOptionNames(what, options, WAIT_OPTIONS);
  return {
    signal: checkSignal(options?.signal),
    timeout: checkDuration("timeout", options?.timeout, null),
  };
}
