// A place in the history of a topic.

import { invalidArgument } from "../shared/option-checks.js";

/** The place of one message in the history of a topic. */
export interface Position {
  /** Names the history that `offset` counts in. A topic whose engine lost messages gets a new one. */
  readonly epoch: string;
  /** The number of the message in the history: 1 for the first; 0 for the place before it. */
  readonly offset: number;
}

/** UTF-16 code units of the longest epoch that a client may send. */
const MAX_EPOCH = 64;

/** @throws InvalidArgumentError */
export function checkPosition(name: string, value: unknown): Position {
  const { epoch, offset } = (typeof value === "object" && value !== null ? value : {}) as Partial<Position>;
  if (isEpoch(epoch) && isOffset(offset)) return { epoch, offset };
  throw invalidArgument(name, "a Position: an object with `epoch` and `offset` of a message", value);
}

export function isEpoch(value: unknown): value is string {
  return typeof value === "string" && EPOCH.test(value) && value.length <= MAX_EPOCH;
}

/** A client writes it with at most 15 digits (docs/link-protocol.md). */
function isOffset(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 1e15;
}

/** Printable ASCII, so that it can be an argument of a link message. */
const EPOCH = /^[!-~]+$/;

export function isSame(one: Position | null, other: Position | null): boolean {
  return one === null || other === null
    ? one === other
    : one.epoch === other.epoch && one.offset === other.offset;
}

/** Whether `one` equals `other` or is an earlier place of the same epoch. */
export function isAtOrBehind(one: Position | null, other: Position | null): boolean {
  return one === null || other === null
    ? one === other
    : one.epoch === other.epoch && one.offset <= other.offset;
}
