// Opens a persistent connection in a page, which loads most of its code meanwhile.

import { LoadingCore } from "../reconnect/persistent/loading-core.js";
import type { PersistentCore } from "../reconnect/persistent/persistent-core.js";
import {
  createPersistent,
  type PersistentConnection,
} from "../reconnect/persistent/persistent-connection.js";
import {
  setUpPersistent,
  type AnyPersistentOptions,
  type PersistentSetup,
} from "../reconnect/persistent/set-up.js";
import type { ValueOrFactory } from "../reconnect/target.js";
import { browserConnector } from "./connector.js";
import { EarlyOpening } from "./early-opening.js";
import { connectionCode, persistentCode } from "./late-code.js";
import type { ConnectOptions } from "./options.js";

/** @throws InvalidArgumentError for an invalid option */
export function openPersistent(
  url: ValueOrFactory<string | URL>,
  options: AnyPersistentOptions<ConnectOptions>,
): PersistentConnection {
  const setup = setUpPersistent(browserConnector, url, options);
  const code = persistentCode.get();
  if (code instanceof Promise) return createPersistent(setup, new LoadingCore(setup, loader(setup)));
  const core = code.makePageCore(setup);
  core.start();
  return createPersistent(setup, core);
}

function loader(setup: PersistentSetup<ConnectOptions>): () => Promise<(failures: number) => PersistentCore> {
  let early = openEarly(setup);
  return async () => {
    try {
      const [{ makePageCore }] = await Promise.all([persistentCode.get(), connectionCode.get()]);
      return (failures) => makePageCore(setup, early, failures);
    } catch (error) {
      early?.abandon(); // Nobody reads from it.
      early = null;
      throw error;
    }
  };
}

/** Opens the first WebSocket now, if no function has to be called for it, and no session of an earlier page is resumed. */
function openEarly(setup: PersistentSetup<ConnectOptions>): EarlyOpening | null {
  const { lifecycle, settings, kept, persist } = setup;
  const { url, options } = setup.target;
  const { subprotocols } = options;
  if (typeof url === "function" || typeof subprotocols === "function") return null;
  if (kept !== null || persist.signal?.aborted === true) return null;
  const early = new EarlyOpening(url, { ...options, subprotocols }, settings.session !== null);
  early.abandonWith(lifecycle.signal);
  return early;
}
