// Finds out whether a proxy connects to the server in place of this machine.

import { proxyFromEnvironment } from "../../client/proxy/environment.js";
import type { Arguments } from "../arguments/arguments.js";

/** The option or the variable of the environment that names the proxy for this URL; null for a direct connection. */
export function proxySetting({ protocol, hostname, port }: URL, given: Arguments): string | null {
  const option = given.text("proxy");
  if (option !== undefined) return option === "none" ? null : "--proxy";
  const isSecure = protocol === "wss:" || protocol === "https:";
  const host = hostname.replace(/^\[|\]$/g, "");
  const target = { isSecure, hostname: host, port: Number(port) || (isSecure ? 443 : 80) };
  return proxyFromEnvironment(target, process.env)?.name ?? null;
}
