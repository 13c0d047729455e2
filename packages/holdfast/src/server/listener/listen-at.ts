// Binds a listener to its address, and replaces a Unix socket that a dead process left.

import { connect, type ListenOptions, type Server as Listener } from "node:net";
import { nodeModule } from "../../protocol/node-module.js";
import { invalidArgument } from "../../shared/option-checks.js";
import { HoldfastError } from "../../shared/errors.js";
import { describeListenAddress, type ListenAddress } from "./listen-address.js";
import { withFullStop } from "../../shared/full-stop.js";

/** @throws HoldfastError with code ERR_HOLDFAST_LISTEN */
export async function listenAt(listener: Listener, address: ListenAddress, backlog: number): Promise<void> {
  try {
    await listen(listener, address, backlog);
  } catch (error) {
    if (address.kind !== "unix" || !(await isStaleSocket(address.path, error)))
      throw listenError(address, error);
    try {
      await nodeModule("node:fs/promises").unlink(address.path);
      await listen(listener, address, backlog);
    } catch (retryError) {
      throw listenError(address, retryError);
    }
  }
}

/** @throws InvalidArgumentError */
export function checkBacklog(value: unknown = DEFAULT_BACKLOG): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_BACKLOG) {
    return value as number;
  }
  throw invalidArgument("backlog", `a whole number from 1 to ${MAX_BACKLOG}`, value);
}

function listen(listener: Listener, address: ListenAddress, backlog: number): Promise<void> {
  return new Promise((resolve, reject) => {
    listener.once("error", reject);
    // The type definitions lack `reusePort`.
    const options: ListenOptions & { reusePort?: boolean } =
      address.kind === "unix"
        ? { path: address.path, backlog }
        : {
            port: address.port,
            backlog,
            ...(address.host === undefined ? {} : { host: address.host }),
            ...(address.isShared ? { reusePort: true } : {}),
          };
    listener.listen(options, () => {
      listener.off("error", reject);
      resolve();
    });
  });
}

/** Whether the path is a socket file that no process listens on. A socket in use, and any other file, is left alone. */
async function isStaleSocket(path: string, error: unknown): Promise<boolean> {
  if (codeOf(error) !== "EADDRINUSE") return false;
  // A connection to any other kind of file is refused too.
  const file = await nodeModule("node:fs/promises")
    .lstat(path)
    .catch(() => null);
  if (file?.isSocket() !== true) return false;
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      resolve(false);
    });
    probe.once("error", (failure) => resolve(codeOf(failure) === "ECONNREFUSED"));
  });
}

function listenError(address: ListenAddress, cause: unknown): HoldfastError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = withFullStop(
    `Expected to listen on ${describeListenAddress(address)}, got an error: ${reason}`,
  );
  return new HoldfastError(message, { code: "ERR_HOLDFAST_LISTEN", cause });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** Connections that the kernel queues: a fleet that reconnects at once must not be refused. */
const DEFAULT_BACKLOG = 4096;
/** The maximum of a C int, which the kernel takes. */
const MAX_BACKLOG = 2 ** 31 - 1;
