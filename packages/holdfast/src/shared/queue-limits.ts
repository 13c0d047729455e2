// The limits of a queue of messages, as options give them.

import { checkSize } from "./option-checks.js";
import { checkOptionNames, type OptionNames } from "./option-names.js";

interface QueueLimits {
  readonly messages: number;
  readonly bytes: number;
}

const QUEUE_LIMITS: OptionNames<QueueLimits> = { messages: true, bytes: true };

/** A limit on messages, bytes, or both; Infinity for no limit. */
export function checkQueue(name: string, value: unknown): QueueLimits {
  if (value === null) return { messages: Infinity, bytes: Infinity };
  const isObject = typeof value === "object";
  const { messages, bytes } = (isObject ? value : { messages: value }) as {
    messages?: unknown;
    bytes?: unknown;
  };
  if (isObject) checkOptionNames(`\`${name}\``, value, QUEUE_LIMITS);
  return {
    messages: checkSize(isObject ? `${name}.messages` : name, messages, 1024) ?? Infinity,
    bytes: checkSize(`${name}.bytes`, bytes, 1024 * 1024) ?? Infinity,
  };
}
