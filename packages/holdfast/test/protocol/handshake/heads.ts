// Heads as bytes, and as the library parses them.

import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { isHeadFailure } from "../../../build/protocol/handshake/head-failure.js";
import { HeadReader, type Head } from "../../../build/protocol/handshake/head-reader.js";
import { parseRequestHead, type RequestHead } from "../../../build/protocol/handshake/request-head.js";
import { parseResponseHead, type ResponseHead } from "../../../build/protocol/handshake/response-head.js";

export const LIMITS = { maxSize: 16 * 1024, maxHeaders: 128 };

/** The key of RFC 6455 section 1.3, and its answer. */
export const SAMPLE_KEY = "dGhlIHNhbXBsZSBub25jZQ==";
export const SAMPLE_ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** The lines of a head, with the blank line that ends it. */
export function headBytes(...lines: string[]): Uint8Array {
  return Buffer.from([...lines, "", ""].join("\r\n"), "latin1");
}

export function readHead(...lines: string[]): Head {
  const result = new HeadReader(LIMITS).push(headBytes(...lines));
  assert.ok(result !== "incomplete" && result.outcome === "head", JSON.stringify(result));
  return result.head;
}

export function requestHead(...lines: string[]): RequestHead {
  const head = parseRequestHead(readHead(...lines));
  assert.ok(!isHeadFailure(head), JSON.stringify(head));
  return head;
}

export function responseHead(...lines: string[]): ResponseHead {
  const head = parseResponseHead(readHead(...lines));
  assert.ok(!isHeadFailure(head), JSON.stringify(head));
  return head;
}
