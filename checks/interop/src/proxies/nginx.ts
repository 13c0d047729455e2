import type { Executable } from "../peers/executables.js";
import type { ProxyKind } from "./proxy.js";

/**
 * nginx, configured for WebSocket as its documentation says (https://nginx.org/en/docs/http/websocket.html).
 */
export function nginx({ path }: Executable): ProxyKind {
  return {
    path,
    configure: ({ port, backendPort, idleTimeout, shutdownTimeout, folder }) => `
      ${process.getuid?.() === 0 ? "user root;" : ""}
      daemon off;
      worker_processes 1;
      worker_shutdown_timeout ${shutdownTimeout}ms;
      pid ${folder}/pid;
      error_log stderr notice;
      events { worker_connections 256; }
      http {
        access_log off;
        ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
        map $http_upgrade $connection_upgrade { default upgrade; '' close; }
        server {
          listen 127.0.0.1:${port};
          location / {
            proxy_pass http://127.0.0.1:${backendPort};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_read_timeout ${idleTimeout}ms;
            proxy_send_timeout ${idleTimeout}ms;
          }
        }
      }`,
    args: (configuration) => ["-e", "stderr", "-c", configuration],
    reloadSignal: "SIGHUP",
    announcement: /start worker process \d/,
    statusWithoutBackend: 502,
  };
}
