// Parses the head of a response.

import type { Head } from "./head-reader.js";
import type { HeadFailure } from "./head-failure.js";
import type { HeaderList } from "./header-list.js";
import { quote } from "../../shared/quote.js";

/** The head of an HTTP response (RFC 9112 section 4). */
export interface ResponseHead {
  readonly status: number;
  /** The reason phrase; may be empty. Non-ASCII bytes are decoded as ISO 8859-1. */
  readonly reason: string;
  /** 1 for HTTP/1.1. */
  readonly minorVersion: number;
  readonly headers: HeaderList;
}

/** Parses the status line: `HTTP-version SP status-code SP [ reason-phrase ]`. */
export function parseResponseHead(head: Head): ResponseHead | HeadFailure {
  const match = STATUS_LINE.exec(head.startLine);
  if (match === null) {
    const reason = `Expected a status line such as "HTTP/1.1 101 Switching Protocols", got ${quote(head.startLine)}.`;
    return { outcome: "failed", status: 400, limit: null, reason };
  }
  const [, minorVersion = "", status = "", reason = ""] = match;
  return { status: Number(status), reason, minorVersion: Number(minorVersion), headers: head.headers };
}

/** Whether another response follows: 100 (Continue), 103 (Early Hints) and the like (RFC 9110 section 15.2). */
export function isInterimResponse(head: ResponseHead): boolean {
  return head.status < 200 && head.status !== 101;
}

/**
 * Statuses from 600 to 999 belong to no class, and a client handles them like 5xx (RFC 9110 section 15).
 * Servers often omit the space before an empty reason phrase, which is harmless.
 */
const STATUS_LINE = /^HTTP\/1\.([0-9]) ([1-9][0-9][0-9])(?: (.*))?$/;
