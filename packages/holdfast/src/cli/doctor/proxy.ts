// Finds out whether a proxy connects to the server in place of this machine.

import { proxyFromEnvironment } from "../../client/proxy/environment.js";
import type { Arguments } from "../arguments/arguments.js";
import { serverOf } from "./network.js";

/** The option or the variable of the environment that names the proxy for this URL; null for a direct connection. */
export function proxySetting(url: URL, given: Arguments): string | null {
  const option = given.text("proxy");
  if (option !== undefined) return option === "none" ? null : "--proxy";
  return proxyFromEnvironment(serverOf(url), process.env)?.name ?? null;
}
