import { dirname } from "node:path";
import type { Executable } from "../peers/executables.js";
import type { DocumentedProxy } from "./documented.js";

/** Caddy: a site block, without its admin interface and its own certificates. */
export function caddy({ path }: Executable): DocumentedProxy {
  return {
    // It saves its configuration in the folder that this variable names.
    path: "/usr/bin/env",
    args: (configuration) => [
      `XDG_CONFIG_HOME=${dirname(configuration)}`,
      ...[path, "run", "--adapter", "caddyfile", "--config", configuration],
    ],
    announcement: /serving initial configuration/,
    complete: (block, { folder, port, tls }) => `
{
  admin off
  auto_https disable_redirects
  storage file_system ${folder}/storage
  default_bind 127.0.0.1
}
${block.replace(":80 {", tls === null ? `http://:${port} {` : `:${port} {\n  tls ${tls.cert} ${tls.key}`)}
`,
  };
}
