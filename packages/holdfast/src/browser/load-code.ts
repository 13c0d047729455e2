// Loads code that few pages need: a page fetches it when an option of a connection asks for it.

import { Interruption } from "../connection/interruption.js";
import type { Runtime } from "../connection/runtime.js";
import { Alarm } from "../connection/timer-queue.js";
import { quietly } from "../shared/deferred.js";
import { OpenTimeoutError } from "../shared/errors.js";
import { loadCode, remedy } from "../shared/load-code.js";
import type { ConnectSettings } from "./options.js";
import type * as PageConnection from "./page-connection.js";
import type * as RareCode from "./rare-code.js";

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
  return withinOpening(OPTIONS, settings, runtime, deadline, () =>
    loadCode(OPTIONS, () => import("./rare-code.js")),
  );
}

const NO_CODE: LoadedCode = {};

/** For error messages. */
const OPTIONS = "an option";
const CONNECTIONS = "connections";
const PERSISTENT = "persistent connections";

/** Code that a page loads once, while its first connection opens. */
class LazyCode<Code> {
  readonly #what: string;
  readonly #load: () => Promise<Code>;
  #code: Code | null = null;
  #loading: Promise<Code> | null = null;

  /** @param what for error messages */
  constructor(what: string, load: () => Promise<Code>) {
    this.#what = what;
    this.#load = load;
  }

  /** Returns a promise until it is loaded. If it cannot be loaded, the next call tries again. */
  get(): Code | Promise<Code> {
    return this.#code ?? (this.#loading ??= quietly(this.#fetch())); // Unawaited if opening fails.
  }

  async #fetch(): Promise<Code> {
    try {
      return (this.#code = await loadCode(this.#what, this.#load));
    } finally {
      this.#loading = null;
    }
  }
}

export type ConnectionCode = typeof PageConnection;

/** The code of open connections. */
export const connectionCode = new LazyCode<ConnectionCode>(CONNECTIONS, () => import("./page-connection.js"));

/** The code of open connections in workers. */
export const workerConnectionCode = new LazyCode(CONNECTIONS, () => import("./page-worker-connection.js"));

/** The code of persistent connections. */
export const persistentCode = new LazyCode(PERSISTENT, () => import("./page-persistent-code.js"));

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
  load: () => Promise<Result>,
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
