// Parses the URL of a proxy.

import type { ConnectionOptions as TlsOptions } from "node:tls";
import { hasControlCharacter } from "../../shared/control-characters.js";
import { InvalidURLError } from "../../shared/errors.js";
import type { HeaderField } from "../../protocol/handshake/header-input.js";
import { readURL } from "../../protocol/handshake/url.js";
import { basicAuthorization, readUserInfo, type UserInfo } from "../../protocol/handshake/user-info.js";
import { quoteURL } from "../../shared/show-url.js";
import { withoutFullStop } from "../../shared/full-stop.js";

/** A proxy that opens tunnels with CONNECT (RFC 9110 section 9.3.6). */
export interface HttpProxy {
  readonly kind: "http";
  /** Scheme, host and port: safe to log. */
  readonly href: string;
  readonly hostname: string;
  readonly port: number;
  /** Whether the connection to the proxy itself uses TLS. */
  readonly isSecure: boolean;
  /** The value of Proxy-Authorization, made from the user info; null without user info. */
  readonly authorization: string | null;
  /** Additional headers of CONNECT. */
  readonly headers: readonly HeaderField[];
  /** Options of the TLS connection to the proxy. */
  readonly tls: TlsOptions | undefined;
}

/** A proxy that opens tunnels with SOCKS (RFC 1928; version 4 has no standard). */
export interface SocksProxy {
  readonly kind: "socks";
  readonly href: string;
  readonly hostname: string;
  readonly port: number;
  readonly version: 4 | 5;
  readonly userInfo: UserInfo | null;
  /** Whether the proxy resolves host names, instead of this client. */
  readonly resolvesNames: boolean;
}

export type Proxy = HttpProxy | SocksProxy;

/**
 * Parses the URL of a proxy. Without a scheme, `http:` is assumed. If the URL is invalid, returns the end of the error
 * message ("Expected … to be"). The message never contains user info.
 */
export function parseProxyURL(input: string): Proxy | string {
  const text = input.trim();
  const match = /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/\\?#]+)\/?$/i.exec(text);
  const scheme = (match?.[1] ?? "http").toLowerCase();
  if (match === null || hasControlCharacter(text)) return `${EXPECTED}, got ${quoteURL(text)}`;
  if (!isScheme(scheme)) return `${EXPECTED_SCHEME}, got ${quoteURL(text)}`;
  const url = readURL(`http://${match[2]}`);
  if (url === null) return `${EXPECTED}, got ${quoteURL(text)}`;
  const { defaultPort } = SCHEMES[scheme];
  const hostname = url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
  const port = portOf(url, match[2]) ?? defaultPort;
  const href = `${scheme}://${url.hostname}:${port}`;
  try {
    return proxyOf(scheme, { href, hostname, port }, readUserInfo(url));
  } catch (error) {
    if (error instanceof InvalidURLError) return `${EXPECTED}; ${withoutFullStop(error.message)}`;
    throw error;
  }
}

function proxyOf(
  scheme: ProxyScheme,
  address: { readonly href: string; readonly hostname: string; readonly port: number },
  userInfo: UserInfo | null,
): Proxy {
  const { isSecure, socks } = SCHEMES[scheme];
  if (socks !== null) {
    checkLengths(userInfo);
    return { kind: "socks", ...address, ...socks, userInfo };
  }
  const authorization = userInfo === null ? null : basicAuthorization(userInfo);
  return { kind: "http", ...address, isSecure, authorization, headers: [], tls: undefined };
}

/** RFC 1929 section 2: each length field has one byte. */
function checkLengths(userInfo: UserInfo | null): void {
  const longest = Math.max(
    ...Object.values(userInfo ?? {}).map((text: string) => Buffer.byteLength(text)),
    0,
  );
  if (longest > 255)
    throw new InvalidURLError("Expected user name and password of at most 255 bytes each for SOCKS.");
}

interface Scheme {
  readonly defaultPort: number;
  readonly isSecure: boolean;
  readonly socks: Pick<SocksProxy, "version" | "resolvesNames"> | null;
}

const SCHEMES = {
  http: { defaultPort: 80, isSecure: false, socks: null },
  https: { defaultPort: 443, isSecure: true, socks: null },
  socks: { defaultPort: 1080, isSecure: false, socks: { version: 5, resolvesNames: true } },
  socks5: { defaultPort: 1080, isSecure: false, socks: { version: 5, resolvesNames: false } },
  socks5h: { defaultPort: 1080, isSecure: false, socks: { version: 5, resolvesNames: true } },
  socks4: { defaultPort: 1080, isSecure: false, socks: { version: 4, resolvesNames: false } },
  socks4a: { defaultPort: 1080, isSecure: false, socks: { version: 4, resolvesNames: true } },
} as const satisfies Readonly<Record<string, Scheme>>;

type ProxyScheme = keyof typeof SCHEMES;

function isScheme(scheme: string): scheme is ProxyScheme {
  return Object.hasOwn(SCHEMES, scheme);
}

const EXPECTED = 'the URL of a proxy, such as "http://proxy.example:3128"';
const EXPECTED_SCHEME = `${EXPECTED}, with the scheme ${Object.keys(SCHEMES).join(", ")}`;

/** `URL` drops port 80, which is not the default port of all these schemes. */
function portOf(url: URL, authority: string): number | null {
  if (url.port !== "") return Number(url.port);
  return /:0*80$/.test(authority) ? 80 : null;
}
