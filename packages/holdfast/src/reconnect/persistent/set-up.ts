// Makes the parts of a persistent connection that exist before its core: checked options, its status, and its queue of
// outgoing messages.

import type { ConnectionSettings } from "../../connection/options.js";
import type { Connector, ConnectorOptions } from "../connector.js";
import { checkPersistOptions, type PersistOptions, type PersistSettings } from "../retry/persist-options.js";
import { fixTarget, type PerAttemptOptions, type Target, type ValueOrFactory } from "../target.js";
import { KeptSession } from "./kept-session.js";
import { Lifecycle } from "./lifecycle.js";
import {
  checkPersistentOptions,
  type PersistentOptions,
  type PersistentSettings,
} from "./persistent-options.js";
import { Sender } from "./sender.js";

/** The options of `connectPersistent()` on any platform. */
export type AnyPersistentOptions<Options extends ConnectorOptions> = PerAttemptOptions<Options> &
  PersistentOptions &
  PersistOptions;

/** The parts of a persistent connection that exist before its core. */
export interface PersistentParts {
  readonly connectionSettings: ConnectionSettings;
  readonly settings: PersistentSettings;
  readonly lifecycle: Lifecycle;
  readonly sender: Sender;
  /** Null without the option `keep`. */
  readonly kept: KeptSession | null;
}

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
  const kept = keep && new KeptSession(keep, faultLogger, urlOf(target));
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

/** The URL; null if a function will return it. */
function urlOf<Options extends ConnectorOptions>({ connector, url }: Target<Options>): string | null {
  try {
    return typeof url === "function" ? null : connector.describeURL(url);
  } catch {
    return null; // The first attempt reports it.
  }
}
