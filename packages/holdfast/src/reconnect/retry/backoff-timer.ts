// The delay between two attempts. It ends early when the network returns.

import { Deadline } from "../../connection/timer-queue.js";
import type { Connector, ConnectorOptions } from "../connector.js";
import type { Retry } from "./retry-policy.js";

export class BackoffTimer<Options extends ConnectorOptions> extends Deadline {
  readonly #connector: Connector<Options>;
  readonly #onDue: () => void;
  /** Stops watching for the return of the network. */
  #stopWatching: (() => void) | undefined;

  /** @param onDue called when the delay has passed, or the network has returned */
  constructor(connector: Connector<Options>, onDue: () => void) {
    super();
    this.#connector = connector;
    this.#onDue = onDue;
  }

  /** @param now monotonic time */
  start({ delay, requestedByServer }: Retry, now: number): void {
    this.#connector.runtime.timers.set(this, now + delay);
    // If the server requested the delay, the client keeps to it even when the network returns.
    if (!requestedByServer) this.#stopWatching = this.#connector.watchReturns?.(() => this.onAlarm());
  }

  /** Cancels the delay, if there is one. */
  cancel(): void {
    this.#connector.runtime.timers.cancel(this);
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  onAlarm(): void {
    this.cancel();
    this.#onDue();
  }
}
