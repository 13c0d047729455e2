// The heads of requests and responses of scripted peers, without any validation.

import { createHash } from "node:crypto";

/** Headers to send: an array repeats the header, null omits a default header. */
export type HeadersToSend = Readonly<Record<string, string | readonly string[] | null>>;

/** The head of an HTTP/1.1 request or response, as received. */
export interface Head {
  /** For example `GET /chat HTTP/1.1` or `HTTP/1.1 101 Switching Protocols`. */
  readonly startLine: string;
  /** Names and values as received, in order. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /**
   * The value of a header, whose name is case-insensitive; repeated headers are joined with commas. Null if
   * it is missing.
   */
  header(name: string): string | null;
}

export function parseHead(text: string): Head {
  const [startLine = "", ...lines] = text.split("\r\n").filter((line) => line !== "");
  const fields = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  const header = (name: string) => {
    const found = fields.filter(([field]) => field.toLowerCase() === name.toLowerCase());
    return found.length === 0 ? null : found.map(([, value]) => value).join(", ");
  };
  return { startLine, fields, header };
}

/** Formats a head: `headers` replace the defaults of the same name, regardless of case. */
export function formatHead(startLine: string, defaults: HeadersToSend, headers: HeadersToSend = {}): string {
  const replaced = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const kept = Object.entries(defaults).filter(([name]) => !replaced.has(name.toLowerCase()));
  const lines = [...kept, ...Object.entries(headers)].flatMap(([name, value]) =>
    [value ?? []].flat().map((single) => `${name}: ${single}`),
  );
  return [startLine, ...lines, "", ""].join("\r\n");
}

/** The Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 section 4.2.2). */
export function acceptKey(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}
