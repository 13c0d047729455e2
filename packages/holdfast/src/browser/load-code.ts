// Waits for code that a page loads after its start, as a part of opening.

import { Interruption } from "../connection/interruption.js";
import type { Runtime } from "../connection/runtime.js";
import { Alarm } from "../connection/timer-queue.js";
import { OpenTimeoutError } from "../shared/errors.js";
import { remedy } from "../shared/load-code.js";
import type { ConnectSettings } from "./options.js";
import type * as PageConnection from "./page-connection.js";
import type * as RareCode from "./rare-code.js";

/** Empty where no option needs it. */
export type LoadedCode = Partial<typeof RareCode>;

export type ConnectionCode = typeof PageConnection;

/** The code that opening needs after the WebSocket. */
export interface OpeningCode {
  readonly connection: LateCode<ConnectionCode>;
  /** For the options `logger`, `heartbeat` and `detection`. */
  readonly rare: LateCode<typeof RareCode>;
}

export interface LateCode<Code> {
  /** Returns a promise until it is loaded. If it cannot be loaded, the next call tries again. */
  get(): Code | Promise<Code>;
}

/** The code that the settings need, loaded as a part of opening: within `openTimeout`, and until `signal` aborts. */
export function loadCodeFor(
  { rare }: Pick<OpeningCode, "rare">,
  settings: ConnectSettings,
  runtime: Runtime,
  deadline: number | null,
): LoadedCode | Promise<LoadedCode> {
  const { heartbeat, connection } = settings;
  const { logger, detection = null } = connection;
  if (logger === null && heartbeat === null && detection === null) return NO_CODE;
  return withinOpening(OPTIONS, settings, runtime, deadline, () => rare.get());
}

const NO_CODE: LoadedCode = {};

/** For error messages. */
export const OPTIONS = "an option";
export const CONNECTIONS = "connections";

/** Waits for that code within `openTimeout`, and until `signal` aborts. */
export function waitForCode<Code>(
  loading: Promise<Code>,
  settings: ConnectSettings,
  runtime: Runtime,
  deadline: number | null,
): Promise<Code> {
  return withinOpening(CONNECTIONS, settings, runtime, deadline, () => loading);
}

/** Waits for code within `openTimeout`, and until `signal` aborts. */
async function withinOpening<Result>(
  what: string,
  { openTimeout, signal }: ConnectSettings,
  { timers }: Runtime,
  deadline: number | null,
  load: () => Result | Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  const interruption = new Interruption(signal);
  const alarm = new Alarm({
    onAlarm: () => {
      const message = `Expected to load the code of ${what} within ${openTimeout} ms, got none. ${remedy()}`;
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
