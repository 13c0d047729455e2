// The end of a server: newcomers are refused, clients told, stragglers cut, handlers awaited.

import { coreOf } from "../../connection/connection.js";
import { checkDuration, describe } from "../../shared/option-checks.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import type { CloseFrame } from "../../shared/close-code.js";
import type { ServerListener } from "../listener/server-listener.js";
import type { ServerCore } from "../server-core.js";
import { ShutdownDeadline } from "./shutdown-deadline.js";
import { polls } from "./polls.js";
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
  const usual = closeTimeout === null ? null : spread + closeTimeout + FOR_HANDLERS;
  const timeout = options.timeout === 0 ? 0 : checkDuration("timeout", options.timeout, usual);
  if (timeout === null || spread === 0 || spread < timeout) return { timeout, spread };
  throw new InvalidArgumentError(
    `Expected \`spread\` to be less than \`timeout\` (${timeout}), which cuts what is left, got ${describe(spread)}`,
  );
}

/** Milliseconds that handlers have, once their connections are gone. */
const FOR_HANDLERS = 1000;

/** No new clients from the start, and one deadline for everything that is left of the others. */
export async function shutDown(
  entrance: ServerListener,
  reception: ServerCore,
  { close, timeout, spread, signal }: ShutDownOptions,
): Promise<void> {
  const { connections, handlers, runtime, settings } = reception;
  const patience = new ShutdownDeadline(runtime.clock, timeout, signal);
  reception.drain();
  const drained = entrance.drain();

  const stagger = new Stagger(runtime, connections, spread, (connection) =>
    coreOf(connection).closeWithCause("server-shutdown", close),
  );
  await Promise.race([drained.then(() => reception.quiet()), patience.over]);
  stagger.stop();
  for (const connection of connections) coreOf(connection).terminate("server-shutdown");
  reception.dismiss();
  const closed = Promise.all([entrance.close(), reception.quiet()]);
  await Promise.race([closed, patience.over]);
  entrance.destroy();
  // Sockets that were just cut take a few turns to close, and handlers one to notice, also where the time is over.
  await Promise.race([closed, polls(runtime.clock, 3)]);
  await polls(runtime.clock, 1);
  await Promise.race([handlers.settled(), patience.over]);
  patience.stop();
  if (handlers.running > 0) {
    settings.connection.logger?.warn("closed before all handlers settled", { running: handlers.running });
  }
}
