// The wait between two attempts: until it has lasted as long as it was to, or something cuts it short.

import { Alarm, type AlarmHandler } from "../../connection/timer-queue.js";
import type { Connector, ConnectorOptions } from "../connector.js";
import type { Retry } from "./retry-policy.js";

export class BackoffTimer<Options extends ConnectorOptions> implements AlarmHandler {
  readonly #connector: Connector<Options>;
  readonly #onDue: () => void;
  readonly #alarm = new Alarm(this);
  /** Ends listening for the return of the network. */
  #stopWatching: (() => void) | undefined;

  /** @param onDue the wait is over */
  constructor(connector: Connector<Options>, onDue: () => void) {
    this.#connector = connector;
    this.#onDue = onDue;
  }

  /** @param now monotonic time */
  begin({ delay, requestedByServer }: Retry, now: number): void {
    this.#connector.runtime.timers.set(this.#alarm, now + delay);
    // A server that asked for the wait is not asked earlier, whatever the network does.
    if (!requestedByServer) this.#stopWatching = this.#connector.watchReturns?.(() => this.onAlarm());
  }

  /** Gives the wait up, if there is one. */
  end(): void {
    this.#connector.runtime.timers.cancel(this.#alarm);
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  onAlarm(): void {
    this.end();
    this.#onDue();
  }
}
