import type { Executable } from "../peers/executables.js";
import type { ProxyKind } from "./proxy.js";

/** HAProxy: once a connection is upgraded, only `timeout tunnel` applies. */
export function haproxy({ path }: Executable): ProxyKind {
  return {
    path,
    configure: ({ port, backendPort, idleTimeout, shutdownTimeout }) => `
global
  maxconn 256
  hard-stop-after ${shutdownTimeout}ms
defaults
  mode http
  retries 0
  timeout connect 30s
  timeout client 30s
  timeout server 30s
  timeout tunnel ${idleTimeout}ms
frontend front
  bind 127.0.0.1:${port}
  default_backend back
backend back
  server one 127.0.0.1:${backendPort}
`,
    // With a master process, as services run it: only the master can reload.
    args: (configuration) => ["-W", "-db", "-f", configuration],
    reloadSignal: "SIGUSR2",
    announcement: /Loading success/,
    statusWithoutBackend: 503,
  };
}
