// Parses the head of a request.

import type { Head } from "./head-reader.js";
import type { HeadFailure } from "./head-failure.js";
import type { HeaderList } from "./header-list.js";
import { quote } from "../../shared/quote.js";

/** The head of an HTTP request (RFC 9112 section 3). */
export interface RequestHead {
  readonly method: string;
  /** The request target as sent; `originForm()` in request-target.ts extracts the path. */
  readonly target: string;
  /** 1 for HTTP/1.1; 0 for HTTP/1.0, which cannot upgrade but can request a page. */
  readonly minorVersion: number;
  readonly headers: HeaderList;
  /** Set for HTTP/2: the `:protocol` of an extended CONNECT (RFC 8441 section 4), null for other requests. */
  readonly http2?: { readonly protocol: string | null };
}

/** Reads the request line: `method SP request-target SP HTTP-version`, with exactly one space between them. */
export function parseRequestHead(head: Head): RequestHead | HeadFailure {
  const match = REQUEST_LINE.exec(head.startLine);
  if (match === null) {
    return refuse(400, `Expected a request line such as "GET / HTTP/1.1", got ${quote(head.startLine)}.`);
  }
  const [, method = "", target = "", majorVersion = "", minorVersion = ""] = match;
  if (majorVersion !== "1")
    return refuse(505, `Expected HTTP/1.1, got HTTP/${majorVersion}.${minorVersion}.`);
  return { method, target, minorVersion: Number(minorVersion), headers: head.headers };
}

/** The token of RFC 9110 section 5.6.2, visible ASCII, and one digit each (RFC 9112 section 2.3). */
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) HTTP\/([0-9])\.([0-9])$/;

function refuse(status: HeadFailure["status"], reason: string): HeadFailure {
  return { outcome: "failed", status, limit: null, reason };
}
