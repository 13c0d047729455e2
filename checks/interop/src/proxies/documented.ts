// A proxy that runs a configuration from docs/deployment.md.

import type { ProxyKind } from "./proxy.js";

/** Paths of PEM files. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Certificate and key in one file. */
  readonly both: string;
}

export interface Surroundings {
  /** A folder that it may write to. */
  readonly folder: string;
  readonly port: number;
  /** Null for plain HTTP. */
  readonly tls: TlsFiles | null;
}

export interface DocumentedProxy extends Pick<ProxyKind, "announcement" | "args" | "path"> {
  /** Turns the block into a whole configuration file that listens on the given port of 127.0.0.1 instead. */
  complete(block: string, surroundings: Surroundings): string;
}

/** The kind of proxy for `Proxy.start`. The block's backend is 127.0.0.1:8080. */
export function kindOf(proxy: DocumentedProxy, block: string, tls: TlsFiles | null): ProxyKind {
  return {
    path: proxy.path,
    args: (configuration) => proxy.args(configuration),
    announcement: proxy.announcement,
    configure: ({ port, backendPort, folder }) =>
      proxy.complete(block.replaceAll("127.0.0.1:8080", `127.0.0.1:${backendPort}`), { folder, port, tls }),
    reloadSignal: "SIGHUP",
    statusWithoutBackend: 502,
  };
}
