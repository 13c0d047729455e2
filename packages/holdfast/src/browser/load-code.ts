// Loads code that few pages need: a page fetches it when an option of a connection asks for it.

import { Interruption } from "../connection/interruption.js";
import type { Runtime } from "../connection/runtime.js";
import { Alarm } from "../connection/timer-queue.js";
import { HandshakeError, OpenTimeoutError } from "../shared/errors.js";
import type { ConnectSettings } from "./options.js";
import type * as RareCode from "./rare-code.js";

/** @throws HandshakeError if it cannot be loaded; the next attempt tries again */
export async function loadCode<Code>(what: string, load: () => Promise<Code>): Promise<Code> {
  try {
    return await load();
  } catch (cause) {
    throw new HandshakeError(`Expected to load the code of ${what}, got an error. ${remedy()}`, { cause });
  }
}

function remedy(): string {
  return "ServiceWorkerGlobalScope" in globalThis
    ? "Service workers cannot import code on demand: bundle without splitting the code."
    : "Serve all files of the bundle.";
}

/** Empty where no option needs it. */
export type LoadedCode = Partial<typeof RareCode>;

/** The code that the settings need, loaded as a part of opening: within `openTimeout`, and until `signal` aborts. */
export function loadCodeFor(
  settings: ConnectSettings,
  runtime: Runtime,
  deadline: number | null,
): LoadedCode | Promise<LoadedCode> {
  const { heartbeat, connection } = settings;
  const { logger, detection = null } = connection;
  if (logger === null && heartbeat === null && detection === null) return NO_CODE;
  return withinOpening(settings, runtime, deadline, () =>
    loadCode("an option", () => import("./rare-code.js")),
  );
}

const NO_CODE: LoadedCode = {};

async function withinOpening<Result>(
  { openTimeout, signal }: ConnectSettings,
  { timers }: Runtime,
  deadline: number | null,
  load: () => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  const interruption = new Interruption(signal);
  const alarm = new Alarm({
    onAlarm: () => {
      const message = `Expected to load the code of an option within ${openTimeout} ms, got none. Serve all files of the bundle.`;
      interruption.interrupt(new OpenTimeoutError(message, "connect"));
    },
  });
  if (deadline !== null) timers.set(alarm, deadline);
  try {
    return await interruption.wait(load());
  } finally {
    interruption.stop();
    timers.cancel(alarm);
  }
}
