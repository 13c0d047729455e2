// Options for dialing: proxy, sockets, streams, TLS and name lookup.

import { isIP, type LookupFunction } from "node:net";
import type { Duplex } from "node:stream";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import { checkBoolean, checkFunction, describe, invalidArgument, isURL } from "../../shared/option-checks.js";
import { checkOptionNames, type OptionNames } from "../../shared/option-names.js";
import { bindToContext } from "../../connection/platform.js";
import { nodePlatform } from "../../transport/node/node-platform.js";
import { copyHeaders } from "../../reconnect/copy-options.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { readHeaders, refuseReserved, type HeadersInput } from "../../protocol/handshake/header-input.js";
import { errorOf } from "../../shared/thrown.js";
import { parseProxyURL, type Proxy } from "../proxy/proxy.js";
import { checkStream, type CreateConnection } from "./custom-stream.js";
import type { DialChoice } from "./dial-target.js";
import type { TcpSettings } from "./socket.js";
import { withFullStop } from "../../shared/full-stop.js";

/** A proxy with headers or TLS options. */
export interface ProxyOptions {
  /**
   * A URL with the scheme `http:`, `https:`, `socks5:`, `socks5h:`, `socks4:` or `socks4a:`. It may contain a user name
   * and a password.
   */
  readonly url: string | URL;
  /** Additional headers of the CONNECT request. HTTP proxies only. */
  readonly headers?: HeadersInput | undefined;
  /** Options of `tls.connect` for the connection to an `https:` proxy. The option `tls` applies to the server. */
  readonly tls?: TlsOptions | undefined;
}

/** How to reach the server. At most one of `proxy`, `socketPath`, `stream` and `createConnection` can be set. */
export interface TransportOptions {
  /**
   * The proxy to use; null for a direct connection. HTTP proxies open a tunnel with CONNECT, also for `ws:`. SOCKS
   * proxies require the package `socks`. @default from `wss_proxy`, `https_proxy`, `no_proxy` and similar variables
   */
  readonly proxy?: string | URL | ProxyOptions | null | undefined;
  /** A Unix socket (on Windows a named pipe) to connect to, instead of the URL's host and port. */
  readonly socketPath?: string | undefined;
  /**
   * An open byte stream to the server, below TLS. The connection owns it, and destroys it when the connection ends or
   * fails to open. For `wss:`, the client uses TLS over it.
   */
  readonly stream?: Duplex | undefined;
  /** Returns a stream as in `stream`: a new one for each connection and each redirect. */
  readonly createConnection?: CreateConnection | undefined;
  /** Options of `tls.connect`: `ca`, `cert`, `key`, `rejectUnauthorized`, `servername`, `checkServerIdentity`, … */
  readonly tls?: TlsOptions | undefined;
  /** The local IP address to connect from. */
  readonly localAddress?: string | undefined;
  /** 4 or 6 to use only IPv4 or only IPv6 addresses; 0 for both. @default 0 */
  readonly family?: 0 | 4 | 6 | undefined;
  /**
   * Resolves host names, as `dns.lookup` does with the option `all`. It calls back with an error, or with a list of
   * `{ address, family }` (or with one address, as without `all`). If it throws or finds no address, opening fails with
   * the failure `"dns"`. @default dns.lookup
   */
  readonly lookup?: LookupFunction | undefined;
  /**
   * Try all addresses of a host (RFC 8305), alternating IPv6 and IPv4. A new attempt starts every 250 ms, or as soon as
   * one fails. Earlier attempts continue until one succeeds. With false, only the first address is tried.
   * @default net.getDefaultAutoSelectFamily(), which is true
   */
  readonly autoSelectFamily?: boolean | undefined;
}

export const TRANSPORT_OPTIONS: OptionNames<TransportOptions> = {
  proxy: true,
  socketPath: true,
  stream: true,
  createConnection: true,
  tls: true,
  localAddress: true,
  family: true,
  lookup: true,
  autoSelectFamily: true,
};

const PROXY_OPTIONS: OptionNames<ProxyOptions> = { url: true, headers: true, tls: true };

export interface TransportSettings {
  readonly dialChoice: DialChoice;
  readonly tcp: TcpSettings;
  readonly tls: TlsOptions | undefined;
}

/** @throws InvalidArgumentError, InvalidHeaderError */
export function checkTransportOptions(options: TransportOptions): TransportSettings {
  return { dialChoice: checkDialChoice(options), tcp: checkTcp(options), tls: checkTls("tls", options.tls) };
}

/** Copies the option `proxy`, so that every attempt uses the same values. */
export function fixProxy(proxy: TransportOptions["proxy"]): Pick<TransportOptions, "proxy"> {
  if (proxy === undefined) return {};
  if (typeof proxy !== "object" || proxy === null) return { proxy };
  if (proxy instanceof URL) return { proxy: proxy.href };
  const { url, headers } = proxy;
  return {
    proxy: {
      ...proxy,
      url: url instanceof URL ? url.href : url,
      ...(headers === undefined ? {} : { headers: copyHeaders(headers) }),
    },
  };
}

function checkDialChoice(options: TransportOptions): DialChoice {
  const names = (["proxy", "socketPath", "stream", "createConnection"] as const).filter(
    (name) => options[name] !== undefined && options[name] !== null,
  );
  if (names.length > 1) {
    throw new InvalidArgumentError(
      `Expected at most one of \`proxy\`, \`socketPath\`, \`stream\` and \`createConnection\`, got \`${names.join("` and `")}\`.`,
    );
  }
  const { proxy, socketPath, stream, createConnection } = options;
  if (socketPath !== undefined) return { kind: "socket", path: checkSocketPath(socketPath) };
  if (stream !== undefined) {
    checkStream("stream", stream);
    return { kind: "stream", stream };
  }
  if (createConnection !== undefined) {
    checkFunction("createConnection", createConnection);
    return { kind: "stream-factory", create: bindToContext(nodePlatform, createConnection) };
  }
  if (proxy === undefined) return { kind: "from-environment" };
  return proxy === null ? { kind: "socket", path: null } : { kind: "proxy", proxy: checkProxy(proxy) };
}

function checkProxy(value: string | URL | ProxyOptions): Proxy {
  if (typeof value === "string" || isURL(value)) return checkProxyURL("proxy", value);
  // For callers without types.
  if (typeof value !== "object")
    throw invalidArgument("proxy", "a URL, an object with `url`, or null", value);
  checkOptionNames("`proxy`", value, PROXY_OPTIONS);
  const proxy = checkProxyURL("proxy.url", value.url);
  if (proxy.kind === "socks") {
    const extra = (["headers", "tls"] as const).find((name) => value[name] !== undefined);
    if (extra === undefined) return proxy;
    const got = describe(value[extra]);
    throw new InvalidArgumentError(
      `Expected no \`proxy.${extra}\` for a SOCKS proxy, which has none, got ${got}.`,
    );
  }
  const headers = value.headers === undefined ? [] : readHeaders(copyHeaders(value.headers));
  refuseReserved(headers.filter(([name]) => name.toLowerCase() !== "proxy-connection"));
  const host = headers.find(([name]) => name.toLowerCase() === "host");
  if (host !== undefined)
    throw invalidArgument("proxy.headers", "without Host, which CONNECT sets itself", host[1]);
  return { ...proxy, headers, tls: checkTls("proxy.tls", value.tls) };
}

function checkProxyURL(name: string, value: unknown): Proxy {
  if (typeof value !== "string" && !isURL(value)) {
    throw invalidArgument(name, "the URL of a proxy", value);
  }
  const proxy = parseProxyURL(String(value));
  if (typeof proxy === "string") throw new InvalidArgumentError(`Expected \`${name}\` to be ${proxy}.`);
  return proxy;
}

function checkSocketPath(value: unknown): string {
  // A leading NUL means Linux's abstract namespace. Any other NUL would truncate the path.
  if (typeof value === "string" && value !== "" && value !== "\0" && !value.includes("\0", 1)) return value;
  throw invalidArgument("socketPath", "the path of a socket", value);
}

function checkTcp({ localAddress, family, lookup, autoSelectFamily }: TransportOptions): TcpSettings {
  if (localAddress !== undefined && (typeof localAddress !== "string" || isIP(localAddress) === 0)) {
    throw invalidArgument("localAddress", "an IP address", localAddress);
  }
  if (family !== undefined && !([0, 4, 6] as const).includes(family)) {
    throw invalidArgument("family", "0, 4 or 6", family);
  }
  if (lookup !== undefined) checkFunction("lookup", lookup);
  return {
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(family === undefined ? {} : { family }),
    ...(lookup === undefined ? {} : { lookup: bindToContext(nodePlatform, lookup) }),
    ...(autoSelectFamily === undefined
      ? {}
      : { autoSelectFamily: checkBoolean("autoSelectFamily", autoSelectFamily, true) }),
  };
}

/** Options of `tls.connect` that would override the address in the URL. */
const CONFLICTING_TLS_OPTIONS = ["host", "path", "port", "socket"];

function checkTls(name: "tls" | "proxy.tls", value: TlsOptions | undefined): TlsOptions | undefined {
  if (value === undefined) return undefined;
  // For callers without types.
  if (typeof value !== "object" || (value as TlsOptions | null) === null) {
    throw invalidArgument(name, "an object of options of tls.connect", value);
  }
  const conflicting = CONFLICTING_TLS_OPTIONS.find((option) => option in value);
  if (conflicting === undefined) return copyOf(name, value);
  const what = `without \`${conflicting}\`, as the URL says where to connect to (see \`socketPath\` and \`stream\` for other ways)`;
  throw invalidArgument(name, what, value);
}

/** Copies the options, because getters may throw or change. */
function copyOf(name: "tls" | "proxy.tls", value: TlsOptions): TlsOptions {
  let options: TlsOptions;
  try {
    options = { ...value };
  } catch (cause) {
    throw new InvalidArgumentError(
      withFullStop(
        `Expected \`${name}\` to be options of tls.connect, got an error: ${errorOf(cause).message}`,
      ),
      { cause },
    );
  }
  for (const option of ["checkServerIdentity", "pskCallback", "lookup"] as const) {
    if (options[option] !== undefined) checkFunction(`${name}.${option}`, options[option]);
  }
  if (options.servername !== undefined && typeof options.servername !== "string") {
    throw invalidArgument(`${name}.servername`, "a host name", options.servername);
  }
  return options;
}
