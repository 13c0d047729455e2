// The proxies of this machine's environment are for reaching the outside: installing packages. Tests and the demo
// talk to this machine, which a proxy may not find.

/** From here on, neither this process nor those that it starts know of proxies. */
export function forgetProxies() {
  for (const name of Object.keys(process.env)) if (/_proxy$/i.test(name)) delete process.env[name];
}
