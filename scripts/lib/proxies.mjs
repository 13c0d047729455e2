// The proxies in this machine's environment are for external hosts, for installing packages. Tests and the
// demo connect to this machine, which a proxy may not reach.

/** Removes the proxies from the environment of this process and its children. */
export function forgetProxies() {
  for (const name of Object.keys(process.env)) if (/_proxy$/i.test(name)) delete process.env[name];
}
