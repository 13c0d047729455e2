// Binds a listener to its address, and replaces a Unix socket that a dead process left.

import { connect, createServer, type ListenOptions, type Server as Listener } from "node:net";
import { dirname } from "node:path";
import { codeOf } from "../../shared/code-of.js";
import { ignore } from "../../shared/deferred.js";
import { nodeModule } from "../../protocol/node-module.js";
import { invalidArgument } from "../../shared/option-checks.js";
import { HoldfastError } from "../../shared/errors.js";
import { describeListenAddress, type ListenAddress } from "./listen-address.js";
import { withFullStop } from "../../shared/full-stop.js";

/** @throws HoldfastError with code ERR_HOLDFAST_LISTEN */
export async function listenAt(listener: Listener, address: ListenAddress, backlog: number): Promise<void> {
  const unlock = address.kind === "unix" ? await lockFolder(address.path) : null;
  try {
    if (address.kind === "unix" && (await isStaleSocket(address.path))) {
      await nodeModule("node:fs/promises").unlink(address.path);
    }
    await listen(listener, address, backlog);
  } catch (error) {
    throw listenError(address, error);
  } finally {
    unlock?.();
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

/**
 * Lets only one server at a time look for a stale socket in a folder and bind its own: another one would find a socket
 * that does not listen yet, and remove it. The lock is an abstract socket (unix(7)), which ends with its process; other
 * systems than Linux refuse it. Returns a function that unlocks.
 */
async function lockFolder(path: string): Promise<() => void> {
  const { stat } = nodeModule("node:fs/promises");
  const folder = await stat(dirname(path)).catch(() => null);
  for (let attempt = 0; folder !== null && attempt < LOCK_ATTEMPTS; attempt++) {
    const lock = createServer();
    const error = await new Promise<unknown>((resolve) => {
      lock.once("error", resolve);
      // Exclusive: workers of node:cluster would share it.
      lock.listen({ path: `\0holdfast:${folder.dev}:${folder.ino}`, exclusive: true }, () => resolve(null));
    });
    if (error === null) return () => void lock.close();
    if (codeOf(error) !== "EADDRINUSE") break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return ignore;
}

/** Whether the path is a socket file that no process listens on. A socket in use, and any other file, is left alone. */
async function isStaleSocket(path: string): Promise<boolean> {
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

/** Connections that the kernel queues: a fleet that reconnects at once must not be refused. */
const DEFAULT_BACKLOG = 4096;
/** Ten seconds: another user could hold the lock for ever. */
const LOCK_ATTEMPTS = 1000;
/** The maximum of a C int, which the kernel takes. */
const MAX_BACKLOG = 2 ** 31 - 1;
