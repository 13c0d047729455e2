// Options of `serve()` and `attach()`, and their checks.

import type { TlsOptions } from "node:tls";
import { checkHeadLimits, checkOpenTimeout } from "../connection/handshake-options.js";
import type { OptionNames } from "../shared/option-names.js";
import { CONNECTION_OPTIONS } from "../connection/options.js";
import { checkBoolean, checkFunction, checkSize, invalidArgument } from "../shared/option-checks.js";
import type { ConnectionOptions, ConnectionSettings } from "../connection/options.js";
import { withDebugLog } from "../transport/node/debug-log.js";
import { checkNodeOptions } from "../transport/node/connection-settings.js";
import type { HeadLimits } from "../protocol/handshake/head-failure.js";
import { parseHostRule, type AllowedHosts, type HostRule } from "../protocol/handshake/hosts.js";
import { parseOriginRule, type AllowedOrigins } from "../protocol/handshake/origin.js";
import { isReservedSubprotocol, type LinkVersion } from "../shared/link-subprotocol.js";
import { isToken } from "../shared/token.js";
import { checkTrustProxy, type ProxyTrust, type TrustProxy } from "./forwarding/trust.js";
import { checkLimits, type LimitOptions, type Limits } from "./limits/limit-options.js";
import {
  checkSessions,
  type ServerSessionOptions,
  type SessionSettings,
} from "./sessions/session-options.js";
import type { RequestAnswer } from "./upgrade/request-answer.js";
import type { ServerRequest } from "./upgrade/server-request.js";

/** Options that `serve()` and `attach()` share. `Data` is the type of `connection.data`. */
export interface ServerOptions<Data = unknown> extends ConnectionOptions {
  /**
   * Milliseconds for TLS, the upgrade request and `onRequest` together, and again for the first word of a socket with
   * `sessions`; null for no limit. @default 10000
   */
  readonly openTimeout?: number | null | undefined;
  /**
   * The pages that may connect (RFC 6455 section 10.2): `"same-origin"`, `"any"`, or a list of origins such as
   * `"https://example.com"` and of RegExps. `"same-origin"` compares
   * scheme, host and port with those of the request; behind a proxy, with those that a proxy in `trustProxy` reports.
   * For a client on this machine, all names of loopback are one origin, with any port and scheme. A request without an
   * Origin passes (every browser sends one); other requests get 403. @default "same-origin"
   */
  readonly origins?: AllowedOrigins | undefined;
  /**
   * The host names that this server serves, against DNS rebinding: if an attacker's name suddenly resolves to this
   * server, the attacker's page has the same origin as the server, and only the name in Host reveals the attack. A
   * string without a port, and a RegExp, allow any port; a RegExp is matched against the name in lower case. A string
   * with a port allows only that port; a Host without a port counts as 80, or 443 over TLS. Every request for another
   * host gets 421 (RFC 9110 section 15.5.20), including health checks by IP address. Over HTTP/2 the server checks
   * `:authority`; with `trustProxy`, the host that the client requested from the proxy. @default null: every name
   */
  readonly hosts?: AllowedHosts | null | undefined;
  /**
   * The proxies in front of this server that it trusts: their number; a list of their addresses, of ranges such as
   * `"10.0.0.0/8"`, and of `"loopback"`, `"linklocal"`, `"uniquelocal"`, `"unix"`; or a function of an address and its
   * hop. Their X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host headers determine the client's address, scheme
   * and host: in `remoteAddress` of requests and connections, `url`, `origins`, `hosts`, `limits` and the log. The
   * server ignores these headers from anyone else. Do not list more proxies than there are: clients can forge the
   * earlier entries. @default null: trust no proxy
   */
  readonly trustProxy?: TrustProxy | null | undefined;
  /**
   * Limits against abuse, per client address and per connection; true for recommended limits: 1,000 connections and 100
   * upgrades a second per address, 1,000 messages and 4 MiB a second per connection. Behind a proxy, set `trustProxy`
   * too. @default null: no limits
   */
  readonly limits?: LimitOptions | boolean | null | undefined;
  /**
   * Called with each valid request before the upgrade. Return a `Response` to send it instead of upgrading. Return
   * nothing to accept the request, or `{ headers, data }` to accept it with more response headers and with
   * `connection.data`. `serve()` also calls it for plain HTTP requests (health checks); `attach()` leaves those to the
   * HTTP server's routes. If it throws, the server logs "onRequest failed" and answers with 500.
   */
  readonly onRequest?:
    ((request: ServerRequest) => RequestAnswer<Data> | Promise<RequestAnswer<Data>>) | undefined;
  /** Subprotocols that the server supports, in order of preference. @default [] */
  readonly subprotocols?: readonly string[] | undefined;
  /** Chooses one of the offered subprotocols, or null for none, instead of `subprotocols`. */
  readonly selectSubprotocol?:
    ((offered: readonly string[], request: ServerRequest) => string | null | undefined) | undefined;
  /**
   * Use the link protocol with clients that offer it, as Holdfast in browsers does: it lets a page send pings
   * (docs/link-protocol.md). It is invisible to the application. @default true
   */
  readonly linkProtocol?: boolean | undefined;
  /**
   * Sessions with clients that want one: messages survive reconnects, in both directions (docs/sessions.md). True for the
   * defaults. The handler is called once for each session. @default null: no sessions
   */
  readonly sessions?: ServerSessionOptions | boolean | null | undefined;
  /** Refuse clients that offer no supported subprotocol, with 400. @default false */
  readonly requireSubprotocol?: boolean | undefined;
  /**
   * Maximum number of concurrent connections; further clients get 503 with Retry-After. Null for no limit. @default
   * null
   */
  readonly maxConnections?: number | null | undefined;
}

/** Options of `serve()`. */
export interface ServeOptions<Data = unknown> extends ServerOptions<Data> {
  /** The TCP port; 0 for any free port. @default 0 */
  readonly port?: number | undefined;
  /** The address to listen on, as in `net.Server.listen`. @default all addresses, IPv6 and IPv4 */
  readonly host?: string | undefined;
  /** The path of a Unix socket (or a Windows pipe) to listen on instead of TCP; not a URL path. */
  readonly path?: string | undefined;
  /**
   * Let other processes listen on the same port; the kernel distributes clients among them. Linux and some BSDs, from
   * Node.js 23.1 or 22.12; `node:cluster` does the same anywhere. @default false
   */
  readonly reusePort?: boolean | undefined;
  /** Options of `tls.createServer` (`key`, `cert`, …): serves `wss:`. @default plain `ws:` */
  readonly tls?: TlsOptions | undefined;
  /**
   * Accept WebSockets over HTTP/2 as well (RFC 8441). Over TLS, each client chooses HTTP/2 or HTTP/1.1; without TLS,
   * the client has to begin with HTTP/2. @default false
   */
  readonly http2?: boolean | undefined;
  /** Maximum size of the request's head in bytes; null for no limit. @default 16384 */
  readonly maxHandshakeSize?: number | null | undefined;
  /**
   * Connections that the kernel queues until the process accepts them; the kernel may impose a lower limit
   * (`net.core.somaxconn`). @default 4096
   */
  readonly backlog?: number | undefined;
  /**
   * If it aborts before the server listens, `serve()` rejects with its reason. If it aborts later, the server closes, as
   * by `close()` without arguments.
   */
  readonly signal?: AbortSignal | null | undefined;
}

export const SERVER_OPTIONS: OptionNames<ServerOptions> = {
  ...CONNECTION_OPTIONS,
  openTimeout: true,
  origins: true,
  hosts: true,
  trustProxy: true,
  limits: true,
  onRequest: true,
  subprotocols: true,
  selectSubprotocol: true,
  linkProtocol: true,
  sessions: true,
  requireSubprotocol: true,
  maxConnections: true,
};

export const SERVE_OPTIONS: OptionNames<ServeOptions> = {
  ...SERVER_OPTIONS,
  port: true,
  host: true,
  path: true,
  reusePort: true,
  tls: true,
  http2: true,
  maxHandshakeSize: true,
  backlog: true,
  signal: true,
};

export interface ServerSettings {
  readonly connection: ConnectionSettings;
  readonly openTimeout: number | null;
  readonly origins: AllowedOrigins;
  /** Null allows every name. */
  readonly hosts: readonly HostRule[] | null;
  /** Null trusts no proxy. */
  readonly trustProxy: ProxyTrust | null;
  readonly limits: Limits | null;
  readonly onRequest: ServerOptions["onRequest"];
  readonly subprotocols: readonly string[];
  readonly selectSubprotocol: ServerOptions["selectSubprotocol"];
  readonly requireSubprotocol: boolean;
  /** The newest version of the link protocol that this server speaks. */
  readonly link: LinkVersion;
  /** Null for no sessions. */
  readonly sessions: SessionSettings | null;
  readonly maxConnections: number | null;
  readonly headLimits: HeadLimits;
}

/** @throws InvalidArgumentError */
export function checkServerOptions<Data>(
  options: ServerOptions<Data> & Pick<ServeOptions, "maxHandshakeSize">,
): ServerSettings {
  const { onRequest, selectSubprotocol } = options;
  const sessions = checkSessions(options.sessions);
  const linkProtocol = checkBoolean("linkProtocol", options.linkProtocol, true);
  if (sessions !== null && !linkProtocol)
    throw invalidArgument("linkProtocol", "true, since `sessions` use the link protocol", linkProtocol);
  if (onRequest !== undefined) checkFunction("onRequest", onRequest);
  if (selectSubprotocol !== undefined) checkFunction("selectSubprotocol", selectSubprotocol);
  return {
    connection: withDebugLog(checkNodeOptions(options)),
    openTimeout: checkOpenTimeout(options.openTimeout),
    origins: checkOrigins(options.origins),
    hosts: checkHosts(options.hosts),
    trustProxy: checkTrustProxy(options.trustProxy),
    limits: checkLimits(options.limits),
    onRequest,
    subprotocols: checkSubprotocols(options.subprotocols ?? []),
    selectSubprotocol,
    link: sessions !== null ? 2 : linkProtocol ? 1 : 0,
    sessions,
    requireSubprotocol: checkBoolean("requireSubprotocol", options.requireSubprotocol, false),
    maxConnections: checkSize("maxConnections", options.maxConnections, null),
    headLimits: checkHeadLimits(options.maxHandshakeSize),
  };
}

function checkOrigins(value: unknown): AllowedOrigins {
  if (value === undefined) return "same-origin";
  if (value === "same-origin" || value === "any") return value;
  if (!Array.isArray(value)) throw invalidArgument("origins", ORIGINS, value);
  return value.map((item: unknown) => {
    const rule = item instanceof RegExp ? item : typeof item === "string" ? parseOriginRule(item) : null;
    if (rule === null) throw invalidArgument("origins", ORIGINS, item);
    return rule;
  });
}

const ORIGINS = '"same-origin", "any" or a list of origins such as "https://example.com", and of RegExps';

function checkHosts(value: unknown): readonly HostRule[] | null {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value) || value.length === 0) throw invalidArgument("hosts", HOSTS, value);
  return value.map((item: unknown) => {
    const rule = item instanceof RegExp ? item : typeof item === "string" ? parseHostRule(item) : null;
    if (rule === null) throw invalidArgument("hosts", HOSTS, item);
    return rule;
  });
}

const HOSTS = 'a list of names such as "example.com" or "example.com:8443", without a scheme, and of RegExps';

function checkSubprotocols(value: unknown): readonly string[] {
  const isList = Array.isArray(value) && value.every((item) => typeof item === "string" && isToken(item));
  if (!isList) throw invalidArgument("subprotocols", "a list of tokens (RFC 6455 section 4.1)", value);
  const names = value as readonly string[]; // Every item has been checked.
  const reserved = names.find(isReservedSubprotocol);
  if (reserved === undefined) return names;
  throw invalidArgument("subprotocols", "names that the link protocol does not use itself", reserved);
}
