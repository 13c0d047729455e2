// Opens a persistent connection whose code is all there, as in Node.js.

import type { Connector, ConnectorOptions } from "../connector.js";
import { Supervisor } from "../supervisor.js";
import type { ValueOrFactory } from "../target.js";
import { createPersistent, type PersistentConnection } from "./persistent-connection.js";
import { PersistentCore } from "./persistent-core.js";
import { setUpPersistent, type AnyPersistentOptions, type PersistentSetup } from "./set-up.js";

/**
 * Connects, and reconnects after each end.
 * @throws InvalidArgumentError for an invalid option
 */
export function openPersistent<Options extends ConnectorOptions>(
  connector: Connector<Options>,
  url: ValueOrFactory<string | URL>,
  options: AnyPersistentOptions<Options>,
): PersistentConnection {
  const setup = setUpPersistent(connector, url, options);
  const core = makeCore(setup, connector);
  core.start();
  return createPersistent(setup, core);
}

/**
 * @param connector may have more parts than the one of the target
 * @param failures the number of attempts that have failed before
 */
export function makeCore<Options extends ConnectorOptions>(
  setup: PersistentSetup<Options>,
  connector: Connector<Options>,
  failures = 0,
): PersistentCore {
  const { target, persist, connectionSettings: settings } = setup;
  return new PersistentCore({
    ...setup,
    runtime: connector.runtime,
    carrySession: connector.carrySession?.bind(connector),
    supervisor: (handler) =>
      new Supervisor({ target: { ...target, connector }, settings, persist, failures }, handler),
  });
}
