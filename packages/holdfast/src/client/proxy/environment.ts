// The proxy that the environment asks for, by the conventions of curl. docs/connecting.md has them as a table.

import { platform } from "node:process";
import type { WebSocketURL } from "../../protocol/handshake/url.js";
import { isExempt } from "./no-proxy.js";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable of the environment, and what it holds. */
export interface ProxyVariable {
  readonly name: string;
  readonly value: string;
}

/** The variable that names the proxy for the URL; null where there is to be none. */
export function proxyFromEnvironment(url: WebSocketURL, environment: Environment): ProxyVariable | null {
  const names = url.isSecure
    ? ["wss_proxy", "https_proxy", "all_proxy"]
    : ["ws_proxy", "http_proxy", "all_proxy"];
  // The first one that is set counts, also where it is empty: that is how one switches a proxy off.
  const variable = firstSet(names, environment);
  if (variable === null || variable.value.trim() === "") return null;
  const exceptions = firstSet(["no_proxy"], environment)?.value ?? "";
  return isExempt(url, exceptions) ? null : variable;
}

function firstSet(names: readonly string[], environment: Environment): ProxyVariable | null {
  for (const name of names.flatMap((lowerCase) => [lowerCase, lowerCase.toUpperCase()])) {
    const value = environment[name];
    if (value !== undefined && !isForged(name, environment)) return { name, value };
  }
  return null;
}

/**
 * Under CGI, HTTP_PROXY is the header `Proxy` of whoever sent the request (CVE-2016-5385), not a setting.
 * On Windows the variable in lower case is the same one.
 */
function isForged(name: string, environment: Environment): boolean {
  if (environment["REQUEST_METHOD"] === undefined) return false;
  return name === "HTTP_PROXY" || (platform === "win32" && name === "http_proxy");
}
