// Parses heads for the targets, whole and in pieces.

import assert from "node:assert/strict";
import { isHeadFailure } from "../../../packages/holdfast/build/protocol/handshake/head-failure.js";
import {
  HeadReader,
  type HeadResult,
} from "../../../packages/holdfast/build/protocol/handshake/head-reader.js";
import { cut } from "./input.js";

const LIMITS = { maxSize: 2048, maxHeaders: 16 };

/**
 * The result of parsing the bytes, which must not depend on how they are split. Null if the head is
 * incomplete.
 */
export function readHead(bytes: Uint8Array, seed: number): Exclude<HeadResult, { outcome: "failed" }> | null {
  const whole = resultOf([bytes]);
  const pieces = cut(bytes, seed);
  assert.deepEqual(summary(resultOf(pieces)), summary(whole));
  return whole === "incomplete" || isHeadFailure(whole) ? null : whole;
}

type Result = "incomplete" | HeadResult;

function resultOf(chunks: readonly Uint8Array[]): Result {
  const reader = new HeadReader(LIMITS);
  for (const [index, chunk] of chunks.entries()) {
    const result = reader.push(Buffer.from(chunk));
    if (result === "incomplete") continue;
    if (isHeadFailure(result)) {
      assert(/^[\x20-\x7e…]+$/.test(result.reason), result.reason);
      return result;
    }
    return { ...result, rest: Buffer.concat([result.rest, ...chunks.slice(index + 1)]) };
  }
  return "incomplete";
}

function summary(result: Result): unknown {
  if (result === "incomplete" || isHeadFailure(result)) return result;
  const { head, rest } = result;
  const headers = head.headers.toHeaders();
  const fields = [...head.headers];
  for (const [name, value] of fields) {
    assert(head.headers.getAll(name).includes(value));
    assert.equal(headers.has(name), true);
  }
  return {
    startLine: head.startLine,
    fields,
    text: head.headers.toString(),
    rest: Buffer.from(rest).toString("hex"),
  };
}
