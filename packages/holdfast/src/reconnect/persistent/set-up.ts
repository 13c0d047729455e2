// Makes the parts of a persistent connection that exist before its core: checked options, its status, and its queue of
// outgoing messages.

import type { Connector, ConnectorOptions } from "../connector.js";
import { checkPersistOptions, type PersistOptions, type PersistSettings } from "../retry/persist-options.js";
import { fixTarget, type PerAttemptOptions, type Target, type ValueOrFactory } from "../target.js";
import { KeptSession } from "./kept-session.js";
import { Lifecycle } from "./lifecycle.js";
import type { PersistentControls } from "./persistent-controls.js";
import { createPersistent, type PersistentConnection } from "./persistent-connection.js";
import type { PersistentParts } from "./persistent-core.js";
import { checkPersistentOptions, type PersistentOptions } from "./persistent-options.js";
import { Sender } from "./sender.js";

/** The options of `connectPersistent()` on any platform. */
export type AnyPersistentOptions<Options extends ConnectorOptions> = PerAttemptOptions<Options> &
  PersistentOptions &
  PersistOptions;

/** A persistent connection that has not begun. */
export interface PersistentSetup<Options extends ConnectorOptions> extends PersistentParts {
  readonly target: Target<Options>;
  readonly persist: PersistSettings;
}

/** @throws InvalidArgumentError for an invalid option */
export function setUpPersistent<Options extends ConnectorOptions>(
  connector: Connector<Options>,
  url: ValueOrFactory<string | URL>,
  options: AnyPersistentOptions<Options>,
): PersistentSetup<Options> {
  const { target, settings: connectionSettings } = fixTarget(connector, url, options);
  const { runtime } = connector;
  const { faultLogger } = connectionSettings;
  const persist = checkPersistOptions(options, runtime.platform);
  const settings = checkPersistentOptions(options, runtime.platform);
  const keep = settings.session?.keep ?? null;
  const sender = new Sender(runtime, settings.sending, connectionSettings.writeLimit);
  const kept = keep && new KeptSession(keep, faultLogger);
  if (kept?.state) sender.restore(kept.state.queued);
  return {
    target,
    connectionSettings,
    persist,
    settings,
    lifecycle: new Lifecycle(runtime, faultLogger),
    sender,
    kept,
  };
}

/** The persistent connection of a core. */
export function persistentConnection<Options extends ConnectorOptions>(
  { lifecycle, sender, settings }: PersistentSetup<Options>,
  core: PersistentControls,
): PersistentConnection {
  const { timeToLive } = settings.sending;
  return createPersistent({ core, lifecycle, sender, timeToLive, hasSession: settings.session !== null });
}
