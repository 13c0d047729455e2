// Builds the HTTP/1.1 head of a response that the application created as a standard `Response` (RFC 9112 sections 4 and
// 6).

import { describe } from "../../shared/option-checks.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { headerList, readHeaders, type HeaderField } from "../../protocol/handshake/header-input.js";
import { closing } from "../../protocol/handshake/server-responses.js";
import { statusText } from "../../protocol/handshake/status-text.js";

/** How the client recognises the end of the body. */
export type Framing =
  /** No body: HEAD, 204, 304. */
  | { readonly kind: "none" }
  /** The body ends after this many bytes. */
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  /** The body ends with the connection, as in HTTP/1.0. */
  | { readonly kind: "until-end" };

export interface ResponseHead {
  readonly bytes: Uint8Array;
  readonly framing: Framing;
}

/** @throws InvalidArgumentError, InvalidHeaderError if `response` is not a Response, or cannot be sent */
export function responseHead(
  response: Response,
  { method, minorVersion }: { readonly method: string; readonly minorVersion: number },
): ResponseHead {
  checkResponse(response);
  const { status } = response;
  const all = readHeaders(response.headers);
  const framing = framingOf(response, all, minorVersion);
  const lines = headerList([
    ...all.filter(([name]) => !SET_BY_SERVER.has(name.toLowerCase())),
    ...framingFields(framing),
    closing(all),
  ]);
  const reason = REASON.test(response.statusText) ? response.statusText : "";
  const head = `HTTP/1.1 ${status} ${reason === "" ? statusText(status) : reason}\r\n${lines.toString()}\r\n`;
  const hasNoBody = method === "HEAD" || framing.kind === "none";
  return { bytes: Buffer.from(head, "latin1"), framing: hasNoBody ? { kind: "none" } : framing };
}

/** Tests the properties rather than the class: polyfills and other realms create Responses too. */
export function checkResponse(response: Response): void {
  const { status, headers, body } = Object(response) as { status: unknown; headers: unknown; body: unknown };
  if (!Number.isInteger(status) || typeof headers !== "object" || typeof body !== "object") {
    throw new InvalidArgumentError(
      `Expected \`onRequest\` to return a Response, nothing, or an object with \`headers\` and \`data\`, got ${describe(response)}.`,
    );
  }
  if (response.status < 200 || response.status > 599) {
    throw new InvalidArgumentError(
      `Expected \`onRequest\` to return a Response with a status from 200 to 599, got ${response.status}.`,
    );
  }
}

export function framingOf(
  { status, body }: Response,
  fields: readonly HeaderField[],
  minorVersion: number,
): Framing {
  if (status === 204 || status === 304) return { kind: "none" };
  if (body === null) return { kind: "length", length: 0 };
  const lengths = fields
    .filter(([name]) => name.toLowerCase() === "content-length")
    .map(([, value]) => value);
  const [length = ""] = lengths;
  if (lengths.length === 1 && /^[0-9]{1,15}$/.test(length)) return { kind: "length", length: Number(length) };
  return { kind: minorVersion === 0 ? "until-end" : "chunked" };
}

function framingFields(framing: Framing): readonly HeaderField[] {
  switch (framing.kind) {
    case "length":
      return [["Content-Length", String(framing.length)]];
    case "chunked":
      return [["Transfer-Encoding", "chunked"]];
    case "none":
    case "until-end":
      return [];
  }
}

const SET_BY_SERVER: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "trailer",
  "transfer-encoding",
]);

/** RFC 9112 section 4: a reason phrase. */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;
