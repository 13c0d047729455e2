// The server's checks of an upgrade request (RFC 6455 section 4.2). Its responses are in server-responses.ts.

import { parseAuthority } from "./authority.js";
import type { HeaderList } from "./header-list.js";
import { isHostAllowed, type HostRule } from "./hosts.js";
import { isLoopbackName, isOriginAllowed, parseOrigin, type OriginRule } from "./origin.js";
import { quote, quoteAll } from "../../shared/quote.js";
import type { RequestHead } from "./request-head.js";
import { originForm } from "./request-target.js";
import { offeredSubprotocols } from "./subprotocol.js";
import { listHasToken } from "../../shared/token.js";

/** The requests that a server accepts. */
export interface JudgeOptions {
  /** Whether the client uses TLS. This determines its scheme and the default port of Host. */
  readonly isSecure: boolean;
  readonly origins: OriginRule;
  /** The hosts that the server accepts; null for all. @default null */
  readonly hosts?: readonly HostRule[] | null;
  /** The host that the client requested from a trusted proxy; null to use the Host header. @default null */
  readonly forwardedHost?: string | null;
  /** Whether a trusted proxy forwarded the request. @default false */
  readonly isForwarded?: boolean;
  /** Whether the client is on this machine. @default () => false */
  readonly isFromLoopback?: () => boolean;
}

/** The decision on a request. */
export type Judgement =
  | {
      readonly outcome: "upgrade";
      /** The Sec-WebSocket-Key; empty over HTTP/2, which has none. */
      readonly key: string;
      /** Path and query, also for a request in absolute-form. Do not resolve it as a reference: see request-target.ts. */
      readonly target: string;
      /** In the client's order; `chooseSubprotocol()` picks one. */
      readonly offeredSubprotocols: readonly string[];
      /** The value of Sec-WebSocket-Extensions, not yet parsed. */
      readonly extensionOffer: string | null;
    }
  | Refusal
  /** A plain HTTP request, which the caller has to answer, for example with `refusePlain()`. */
  | { readonly outcome: "not-websocket" };

/** An error response, after which the connection ends. */
export interface Refusal {
  readonly outcome: "refuse";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Plain text: what was expected, and what was received. */
  readonly body: string;
  /** Set if it has already been logged. */
  readonly isReported?: true;
}

/** The response to a plain HTTP request if the server only serves WebSockets (RFC 9110 section 15.5.22). */
export function refusePlain(head: RequestHead): Refusal {
  if (head.http2 !== undefined) return EXTENDED_CONNECT_REQUIRED;
  return head.method === "HEAD" ? UPGRADE_REQUIRED : (checkMethod(head) ?? UPGRADE_REQUIRED);
}

export const UPGRADE_REQUIRED: Refusal = refuse(
  426,
  "Expected a WebSocket upgrade, got a plain HTTP request.",
  {
    Upgrade: "websocket",
  },
);

/** HTTP/2 has no Upgrade header. */
const EXTENDED_CONNECT_REQUIRED: Refusal = refuse(
  400,
  "Expected an extended CONNECT with `:protocol: websocket` (RFC 8441), got a plain HTTP request.",
);

/** Checks a request against RFC 6455 sections 4.2.1 and 4.2.2, or RFC 8441 section 5 over HTTP/2. */
export function judgeRequest(head: RequestHead, options: JudgeOptions): Judgement {
  const wrongHost = checkHost(head) ?? checkListedHost(head, options);
  if (wrongHost !== null) return wrongHost;
  if (!asksForWebSocket(head)) return { outcome: "not-websocket" };

  const { headers, http2 } = head;
  const host = headers.get("Host") ?? "";
  const target = originForm(head.target, host);
  if (target === null) return refuseTarget(head.target, host);
  const refusal =
    (http2 === undefined ? checkUpgrade(head) : checkVersion(headers)) ?? checkOrigin(headers, options);
  if (refusal !== null) return refusal;

  const offered = offeredSubprotocols(headers);
  if (typeof offered === "string") return refuse(400, offered);
  return {
    outcome: "upgrade",
    key: headers.get("Sec-WebSocket-Key") ?? "",
    target,
    offeredSubprotocols: offered,
    extensionOffer: headers.get("Sec-WebSocket-Extensions"),
  };
}

/** RFC 9110 section 7.8: a server ignores Upgrade over HTTP/1.0. RFC 8441 section 5: HTTP/2 uses `:protocol` instead. */
export function asksForWebSocket({ minorVersion, headers, http2 }: RequestHead): boolean {
  if (http2 !== undefined) return http2.protocol?.toLowerCase() === "websocket";
  const upgrade = minorVersion === 0 ? null : headers.get("Upgrade");
  return upgrade !== null && listHasToken(upgrade, "websocket");
}

/** RFC 9112 section 3.2: a server answers 400 if Host is missing (in HTTP/1.1), repeated or invalid. */
export function checkHost({ minorVersion, headers }: RequestHead): Refusal | null {
  const hosts = headers.getAll("Host");
  if (hosts.length === 0 && minorVersion === 0) return null;
  if (hosts.length === 1 && parseAuthority(hosts[0] ?? "") !== null) return null;
  return refuse(400, `Expected one valid header "Host", got ${quoteAll(hosts)}.`);
}

/** The response to a target without a path on this host. */
export function refuseTarget(target: string, host: string): Refusal {
  return refuse(400, `Expected a path on the host ${quote(host)} as the target, got ${quote(target)}.`);
}

/** The checks of an upgrade that only HTTP/1.1 needs. */
function checkUpgrade(head: RequestHead): Refusal | null {
  const { headers } = head;
  return (
    checkMethod(head) ??
    checkConnection(headers) ??
    checkVersion(headers) ??
    checkKey(headers) ??
    checkNoBody(headers)
  );
}

function checkMethod({ method }: RequestHead): Refusal | null {
  return method === "GET"
    ? null
    : refuse(405, `Expected the method GET, got ${quote(method)}.`, { Allow: "GET" });
}

function checkConnection(headers: HeaderList): Refusal | null {
  const connection = headers.get("Connection");
  if (connection !== null && listHasToken(connection, "upgrade")) return null;
  const got = quoteAll(headers.getAll("Connection"));
  return refuse(426, `Expected the header "Connection: Upgrade", got ${got}.`, { Upgrade: "websocket" });
}

/** RFC 6455 section 4.4: the response to another version states the supported one. */
function checkVersion(headers: HeaderList): Refusal | null {
  const versions = headers.getAll("Sec-WebSocket-Version");
  if (versions.length === 1 && versions[0] === "13") return null;
  const body = `Expected the header "Sec-WebSocket-Version: 13" once, got ${quoteAll(versions)}.`;
  if (versions.length > 1) return refuse(400, body);
  return refuse(426, body, { Upgrade: "websocket", "Sec-WebSocket-Version": "13" });
}

/** RFC 6455 section 4.2.1 point 5. Like most decoders, this ignores the padding bits of the last digit. */
function checkKey(headers: HeaderList): Refusal | null {
  const keys = headers.getAll("Sec-WebSocket-Key");
  if (keys.length === 1 && /^[A-Za-z0-9+/]{22}==$/.test(keys[0] ?? "")) return null;
  return refuse(400, `Expected one Sec-WebSocket-Key of 16 bytes in base64, got ${quoteAll(keys)}.`);
}

/** Rejects a body: it could be read as frames, or the frames as a body. */
function checkNoBody(headers: HeaderList): Refusal | null {
  if (headers.count("Transfer-Encoding") > 0) {
    const got = quoteAll(headers.getAll("Transfer-Encoding"));
    return refuse(400, `Expected an upgrade request without a body, got Transfer-Encoding ${got}.`);
  }
  const lengths = headers.getAll("Content-Length");
  if (lengths.every((length) => /^0+$/.test(length))) return null;
  return refuse(400, `Expected an upgrade request without a body, got Content-Length ${quoteAll(lengths)}.`);
}

/** RFC 9110 section 15.5.20: the server is not responsible for that host. */
function checkListedHost({ headers }: RequestHead, options: JudgeOptions): Refusal | null {
  const { hosts = null, isSecure } = options;
  const host = options.forwardedHost ?? headers.get("Host");
  if (hosts === null || (host !== null && isHostAllowed(host, isSecure, hosts))) return null;
  const got = host === null ? "none" : quote(host);
  return refuse(
    421,
    `Expected a host that the option \`hosts\` lists, got ${got}. Add it to \`hosts\` if this server answers to it.`,
  );
}

/** RFC 6455 section 4.2.2 point 4. */
function checkOrigin(headers: HeaderList, options: JudgeOptions): Refusal | null {
  const origins = headers.getAll("Origin");
  if (origins.length === 0) return null;
  const [origin = ""] = origins;
  const { isSecure, isFromLoopback = () => false } = options;
  const host = options.forwardedHost ?? headers.get("Host") ?? "";
  if (origins.length === 1 && isOriginAllowed(origin, { host, isSecure, isFromLoopback }, options.origins)) {
    return null;
  }
  const isOwn = options.origins === "same-origin" || options.origins === "own-page";
  const expected = isOwn ? ownOrigin(host, options) : LISTED_ORIGIN;
  return refuse(
    403,
    `Expected ${expected}, got ${quoteAll(origins)}. ${originAdvice(origins, host, options)}`,
  );
}

const LISTED_ORIGIN = "an Origin that the option `origins` lists";

/** The expected origin, and which parts of the request determined it. */
function ownOrigin(host: string, { isSecure, isForwarded, forwardedHost }: JudgeOptions): string {
  const source = (forwardedHost ?? null) === null ? "Host" : "X-Forwarded-Host";
  const scheme = `${isForwarded === true ? "its client uses" : "it came over"} ${isSecure ? "TLS" : "plain HTTP"}`;
  return `an Origin of the host ${quote(host)} and the scheme ${isSecure ? "https" : "http"} (the request's ${source}; ${scheme})`;
}

/** Advises which option to set to allow that origin. */
function originAdvice(origins: readonly string[], host: string, options: JudgeOptions): string {
  if (options.origins === "own-page") {
    return "Only the inspector's own page may open its stream, whatever `origins` says. Behind a proxy, set the option `trustProxy` and let the proxy send X-Forwarded-Host and X-Forwarded-Proto.";
  }
  if (options.origins !== "same-origin") return "Add it to `origins` to let its pages in.";
  const { isSecure, isForwarded = false } = options;
  const page = origins.length === 1 ? parseOrigin(origins[0] ?? "") : null;
  const server = parseAuthority(host);
  if (page !== null && server !== null) {
    if (page.hostname === server.hostname && page.isSecure && !isSecure) {
      return isForwarded
        ? "Let the proxy send X-Forwarded-Proto, or list the page in the option `origins`."
        : "If a proxy ends TLS, set the option `trustProxy` and let the proxy send X-Forwarded-Proto; otherwise list the page in the option `origins`.";
    }
    if (isLoopbackName(page.hostname) && isLoopbackName(server.hostname)) {
      return "Loopback names are one site only for a client on the same machine: list the page in the option `origins`.";
    }
  }
  return isForwarded
    ? "List the page in the option `origins`, or let the proxy send the host and the scheme that its client used as X-Forwarded-Host and X-Forwarded-Proto."
    : "List the page in the option `origins`. Behind a proxy, set the option `trustProxy` and let the proxy send X-Forwarded-Host and X-Forwarded-Proto.";
}

/** A plain-text error response, after which the connection ends. */
export function refuse(status: number, body: string, headers: Refusal["headers"] = {}): Refusal {
  return { outcome: "refuse", status, headers, body };
}
