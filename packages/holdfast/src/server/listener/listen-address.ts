// The address that a server listens on: a TCP port, or a Unix socket.

import { isAbsolute, resolve } from "node:path";
import { unixURL } from "../../protocol/handshake/unix-url.js";
import { checkUnixPath } from "../../transport/node/unix-path.js";
import { checkBoolean, invalidArgument } from "../../shared/option-checks.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import type { ServeOptions } from "../options.js";

export type ListenAddress =
  | {
      readonly kind: "tcp";
      readonly port: number;
      readonly host: string | undefined;
      /** Whether other processes may listen on the same port. */
      readonly isShared: boolean;
    }
  | { readonly kind: "unix"; readonly path: string };

/** @throws InvalidArgumentError */
export function checkListenAddress<Data>(options: ServeOptions<Data>): ListenAddress {
  const { port, host, path } = options;
  const isShared = checkBoolean("reusePort", options.reusePort, false);
  if (path !== undefined) {
    // A NUL at the beginning names an abstract socket; no URL could have other control characters.
    if (typeof path !== "string" || !/^\0?[^\p{Cc}\p{Cs}]+$/u.test(path)) {
      throw invalidArgument(
        "path",
        "the path of a Unix socket, such as /run/chat.sock, without control characters",
        path,
      );
    }
    if (port !== undefined || host !== undefined || isShared) {
      throw new InvalidArgumentError(
        "Expected either `path`, for a Unix socket, or `port`, `host` and `reusePort`, for TCP, got both.",
      );
    }
    const absolute = absolutePath(path);
    checkUnixPath(absolute);
    return { kind: "unix", path: absolute };
  }
  if (port !== undefined && (!Number.isInteger(port) || port < 0 || port > 65535)) {
    throw invalidArgument("port", "a number from 0 to 65535", port);
  }
  if (host !== undefined && typeof host !== "string") throw invalidArgument("host", "a string", host);
  if (isShared && !canReusePort(process.versions)) {
    throw new InvalidArgumentError(
      `Expected \`reusePort\` to be false on Node.js ${process.versions.node}, which would ignore it, got true. Use 22.12, 23.1 or later, or node:cluster, which shares a port on any version.`,
    );
  }
  return { kind: "tcp", port: port ?? 0, host: host === "" ? undefined : host, isShared };
}

/** Whether relative or not, as a URL has it. An abstract socket of Linux, whose name begins with NUL, has no folder. */
export function absolutePath(path: string): string {
  return isAbsolute(path) || path.startsWith("\0") ? path : resolve(path);
}

/** Describes the address for error messages. */
export function describeListenAddress(address: ListenAddress): string {
  if (address.kind === "unix") return `the Unix socket ${address.path}`;
  return `${address.host ?? "all addresses"}, port ${address.port}`;
}

/** Returns a URL that reaches the server from this machine. */
export function urlOf(address: ListenAddress, isSecure: boolean, port: number): string {
  return address.kind === "unix" ? unixURL(isSecure, address.path) : tcpURL(isSecure, address.host, port);
}

export function tcpURL(isSecure: boolean, host: string | undefined, port: number): string {
  const name = host === undefined || host === "::" || host === "0.0.0.0" ? "localhost" : host;
  return `${isSecure ? "wss" : "ws"}://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/**
 * Whether this runtime supports `reusePort`. Older versions of Node.js ignore the option, so that the second process
 * would find the port in use.
 */
export function canReusePort(versions: NodeJS.ProcessVersions): boolean {
  if (versions["bun"] !== undefined || versions["deno"] !== undefined) return true;
  const [major = 0, minor = 0] = versions.node.split(".").map(Number);
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}
