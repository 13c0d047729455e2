// The option `hosts` of servers: which Host headers they accept.

import { parseAuthority, type Authority } from "./authority.js";
import { portOf } from "./origin.js";

/** The hosts that a server accepts: names, names with a port, or RegExps for names. */
export type AllowedHosts = readonly (string | RegExp)[];

/** A parsed entry of `AllowedHosts`. */
export type HostRule = Authority | RegExp;

/**
 * Parses an entry; null if it names no host. An IPv6 address may omit its brackets. The result has the form that clients
 * send: an IP address is shortened, and Unicode in a name is encoded.
 */
export function parseHostRule(entry: string): Authority | null {
  const [, name = `[${entry}]`, port = ""] = RULE.exec(entry) ?? [];
  if (/[\s/\\?#@*]/.test(name) || !URL.canParse(`http://${name}`)) return null;
  const rule = parseAuthority(new URL(`http://${name}`).hostname + port);
  return rule && { ...rule, hostname: withoutFinalDot(rule.hostname) };
}

/**
 * Whether `host`, as in the Host header, matches a rule. A RegExp is matched against the name only, in lower case. A
 * RegExp or an entry without a port allows every port; an entry with a port allows only that one. If `host` has no port,
 * it has the default port of its scheme.
 */
export function isHostAllowed(host: string, isSecure: boolean, rules: readonly HostRule[]): boolean {
  const authority = parseAuthority(host);
  if (authority === null) return false;
  const hostname = withoutFinalDot(authority.hostname);
  const port = authority.port ?? portOf(isSecure);
  return rules.some((rule) =>
    rule instanceof RegExp
      ? hostname.search(rule) !== -1
      : rule.hostname === hostname && (rule.port ?? port) === port,
  );
}

/** A name or an address in brackets, and a port. */
const RULE = /^(\[.*\]|[^:[\]]+)(:[0-9]*)?$/;

/** Removes the final dot of a fully qualified name, which means the same host without it. */
function withoutFinalDot(hostname: string): string {
  return hostname.replace(/\.$/, "");
}
