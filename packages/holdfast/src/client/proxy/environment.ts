// Finds the proxy in the environment variables, with the conventions of curl (table in docs/connecting.md).

import { readVariable, type Environment } from "../../transport/node/environment.js";
import { isExempt, type HostAndPort } from "./no-proxy.js";

/** An environment variable and its value. */
export interface ProxyVariable {
  readonly name: string;
  readonly value: string;
}

/** The variable that holds the proxy for the URL; null for no proxy. */
export function proxyFromEnvironment(
  url: HostAndPort & { readonly isSecure: boolean },
  environment: Environment,
): ProxyVariable | null {
  const names = url.isSecure
    ? ["wss_proxy", "https_proxy", "all_proxy"]
    : ["ws_proxy", "http_proxy", "all_proxy"];
  // The first variable that is set counts. An empty one disables the proxy.
  const variable = firstSet(names, environment);
  if (variable === null || variable.value.trim() === "") return null;
  const exceptions = firstSet(["no_proxy"], environment)?.value ?? "";
  return isExempt(url, exceptions) ? null : variable;
}

function firstSet(names: readonly string[], environment: Environment): ProxyVariable | null {
  for (const name of names.flatMap((lowerCase) => [lowerCase, lowerCase.toUpperCase()])) {
    const value = readVariable(name, environment);
    if (value !== undefined && !isForged(name, environment)) return { name, value };
  }
  return null;
}

/**
 * Under CGI, HTTP_PROXY holds the `Proxy` header of the incoming request (CVE-2016-5385), not a setting.
 * On Windows, variable names are case-insensitive.
 */
function isForged(name: string, environment: Environment): boolean {
  if (readVariable("REQUEST_METHOD", environment) === undefined) return false;
  return name === "HTTP_PROXY" || (process.platform === "win32" && name === "http_proxy");
}
