import { parseAuthority, type Authority } from "./authority.js";
import { portOf } from "./origin.js";

/** The names that a server answers to: a name, a name with its port, or a RegExp for names. */
export type AllowedHosts = readonly (string | RegExp)[];

/** An entry of `AllowedHosts`, read once. */
export type HostRule = Authority | RegExp;

/** Reads an entry; null for what names no host. An IPv6 address may come without its brackets. */
export function parseHostRule(entry: string): Authority | null {
  const rule = parseAuthority(entry) ?? parseAuthority(`[${entry}]`);
  return rule === null || rule.hostname.includes("*") ? null : { ...rule, hostname: bare(rule.hostname) };
}

/**
 * Whether `host`, as in the Host header, is one of those. An entry without a port, and a RegExp, which sees the name
 * alone and in lower case, let every port pass; an entry with a port lets that one pass, where no port in `host`
 * stands for the scheme's own.
 */
export function isHostAllowed(host: string, isSecure: boolean, rules: readonly HostRule[]): boolean {
  const authority = parseAuthority(host);
  if (authority === null) return false;
  const hostname = bare(authority.hostname);
  const port = authority.port ?? portOf(isSecure);
  return rules.some((rule) =>
    rule instanceof RegExp
      ? hostname.search(rule) !== -1
      : rule.hostname === hostname && (rule.port ?? port) === port,
  );
}

/** The dot at the end of a fully qualified name makes no other host of it. */
function bare(hostname: string): string {
  return hostname.replace(/\.$/, "");
}
