// Parses host and port, as in the Host header, an Origin or an absolute-form target.

/** A host and its port (RFC 3986 section 3.2), without user info. */
export interface Authority {
  /** In lower case; an IPv6 address in brackets. */
  readonly hostname: string;
  /** Null if it is omitted. */
  readonly port: number | null;
}

/**
 * Parses `host [ ":" port ]`; null for any other text, such as an empty host or two hosts, and for a host that no URL can
 * have, such as `1.2.3.4.5`: applications pass it to `new URL()`.
 */
export function parseAuthority(text: string): Authority | null {
  const match = AUTHORITY.exec(text);
  if (match === null) return null;
  const [, hostname = "", port = ""] = match;
  if (Number(port) > 65_535) return null;
  const isHost = hostname.startsWith("[") ? isIPv6(hostname.slice(1, -1)) : isName(hostname);
  if (!isHost) return null;
  return { hostname: hostname.toLowerCase(), port: port === "" ? null : Number(port) };
}

/** Whether a URL may have this host. The usual ones are recognised without the URL parser, for speed. */
function isName(text: string): boolean {
  return PLAIN_NAME.test(text) || IPV4.test(text) || URL.canParse(`http://${text}`);
}

/**
 * Every URL parser accepts these names. A last label that begins with a digit may make the name an IPv4 address (URL
 * Standard section 3.5), and `xn--` begins encoded Unicode.
 */
const PLAIN_NAME = /^(?!.*xn--)(?:[0-9a-z-]+\.)*[a-z-][0-9a-z-]*$/i;

/** RFC 4291 section 2.2: eight groups. `::` replaces one or more of them, and an IPv4 address the last two. */
function isIPv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const last = groups.at(-1) ?? "";
  const endsInIPv4 = last.includes(".") && !text.endsWith(":");
  if (endsInIPv4) {
    if (!IPV4.test(last)) return false;
    groups.splice(-1, 1, "0", "0");
  }
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  return halves.length === 2 ? groups.length < 8 : groups.length === 8;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;

/** The default port of a scheme; null for schemes other than those of HTTP and WebSocket. */
export function defaultPort(scheme: string): number | null {
  switch (scheme.toLowerCase()) {
    case "http":
    case "ws":
      return 80;
    case "https":
    case "wss":
      return 443;
    default:
      return null;
  }
}

/**
 * An IP literal or a registered name (RFC 3986 section 3.2.2), then the port. The RFC also allows a comma in names, but a
 * comma here would mean two Host headers that a proxy has joined.
 */
const AUTHORITY = /^(\[[0-9a-f:.]+\]|(?:[0-9a-z\-._~!$&'()*+;=]|%[0-9a-f]{2})+)(?::([0-9]{0,5}))?$/i;
