import type { Executable } from "../peers/executables.js";
import type { DocumentedProxy } from "./documented.js";

const MODULES = ["mpm_event", "authz_core", "proxy", "proxy_http", "headers", "ssl", "socache_shmcb"];

/** Apache: `<VirtualHost>` blocks in an otherwise empty server. */
export function apache({ path }: Executable): DocumentedProxy {
  return {
    path,
    // It cannot log to a stderr that is a socket, but reports the loaded modules there.
    args: (configuration) => ["-DFOREGROUND", "-e", "debug", "-f", configuration],
    announcement: /loaded module proxy_http_module/,
    complete: (block, { folder, port, tls }) => `
      ${MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
      ${process.getuid?.() === 0 ? "User www-data\nGroup www-data" : ""}
      ServerRoot ${folder}
      ServerName localhost
      PidFile ${folder}/pid
      Mutex file:${folder}
      ErrorLog ${folder}/error.log
      LogLevel notice
      Listen 127.0.0.1:${port}
      ${block
        .replace("<VirtualHost *:80>", `<VirtualHost 127.0.0.1:${port}>`)
        .replace(
          "</VirtualHost>",
          tls === null
            ? "</VirtualHost>"
            : `SSLEngine on\nSSLCertificateFile ${tls.cert}\nSSLCertificateKeyFile ${tls.key}\n</VirtualHost>`,
        )}`,
  };
}
