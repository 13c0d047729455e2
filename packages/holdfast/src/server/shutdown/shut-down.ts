// Shuts a server down: refuses new clients, closes connections, cuts those that are left, and waits for the handlers.

import { ignore } from "../../shared/deferred.js";
import { coreOf } from "../../connection/core-of.js";
import { unwatchAbort, watchAbort } from "../../shared/abort-watch.js";
import { checkDuration, describe } from "../../shared/option-checks.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import type { CloseFrame } from "../../shared/close-code.js";
import type { ServerListener } from "../listener/server-listener.js";
import type { ServerCore } from "../server-core.js";
import type { Clock } from "../../connection/ports.js";
import { polls } from "../listener/polls.js";
import { Stagger } from "./stagger.js";

export interface ShutDownTimes {
  readonly timeout: number | null;
  readonly spread: number;
}

export interface ShutDownOptions extends ShutDownTimes {
  readonly close: CloseFrame;
  readonly signal: AbortSignal | null;
}

/** @throws InvalidArgumentError */
export function checkTimes(
  options: { readonly timeout?: unknown; readonly spread?: unknown },
  closeTimeout: number | null,
): ShutDownTimes {
  const spread = options.spread === 0 ? 0 : (checkDuration("spread", options.spread, null) ?? 0);
  const defaultTimeout = closeTimeout === null ? null : spread + closeTimeout + HANDLER_GRACE;
  const timeout = options.timeout === 0 ? 0 : checkDuration("timeout", options.timeout, defaultTimeout);
  if (timeout === null || spread === 0 || spread < timeout) return { timeout, spread };
  throw new InvalidArgumentError(
    `Expected \`spread\` to be less than \`timeout\` (${timeout}), after which all connections are cut, got ${describe(spread)}.`,
  );
}

/** Milliseconds that handlers have to settle after their connections have ended. */
const HANDLER_GRACE = 1000;

/** Stops accepting clients at once; one deadline bounds all of the waiting. */
export async function shutDown(
  listener: ServerListener,
  core: ServerCore,
  { close, timeout, spread, signal }: ShutDownOptions,
): Promise<void> {
  const { connections, handlers, runtime, settings } = core;
  const deadline = new ShutdownDeadline(runtime.clock, timeout, signal);
  core.drain();
  const drained = listener.drain();
  if (core.sessions !== null) {
    // Half of the time is left for the store and the closing handshakes.
    const grace = Math.min(HANDLER_GRACE, (timeout ?? Infinity) / 2);
    await Promise.race([core.sessions.park(grace), deadline.over]);
  }

  const stagger = new Stagger(runtime, connections, spread, (connection) =>
    coreOf(connection).closeWithCause("server-shutdown", close),
  );
  await Promise.race([drained.then(() => core.whenIdle()), deadline.over]);
  stagger.stop();
  for (const connection of connections) coreOf(connection).terminate("server-shutdown");
  core.destroySockets();
  core.requests.destroy();
  const closed = Promise.all([listener.close(), core.whenIdle()]);
  await Promise.race([closed, deadline.over]);
  listener.destroy();
  // Wait a few turns even after the deadline: destroyed sockets need them to close, and handlers to settle.
  await Promise.race([closed, polls(runtime.clock, 3)]);
  await polls(runtime.clock, 1);
  await Promise.race([handlers.settled(), deadline.over]);
  if (core.sessions !== null) await Promise.race([Promise.all(core.sessions.removals), deadline.over]);
  deadline.stop();
  if (handlers.running > 0) {
    settings.connection.logger?.warn("closed before all handlers settled", { running: handlers.running });
  }
}

/** Bounds how long the server waits while it closes. */
class ShutdownDeadline {
  /** Resolves when the timeout expires or the signal aborts; never without either. */
  readonly over: Promise<void>;
  readonly #signal: AbortSignal | null;
  readonly #cancel: (() => void) | null;
  #resolve = ignore;

  constructor(clock: Clock, timeout: number | null, signal: AbortSignal | null) {
    this.over = new Promise((resolve) => (this.#resolve = resolve));
    this.#signal = signal;
    this.#cancel = timeout === null ? null : clock.setTimer(timeout, this.#resolve);
    watchAbort(signal, this.#resolve);
    if (signal?.aborted === true) this.#resolve();
  }

  stop(): void {
    this.#cancel?.();
    unwatchAbort(this.#signal, this.#resolve);
  }
}
