// "Happy Eyeballs" (RFC 8305 section 5): connects to the addresses of a host with staggered starts, and keeps the
// first connection that succeeds. Earlier attempts continue while the next one starts.

import { ignore } from "../../shared/deferred.js";
import { AsyncResource } from "node:async_hooks";
import type { Duplex } from "node:stream";
import type { Runtime } from "../../connection/runtime.js";
import { Deadline } from "../../connection/timer-queue.js";
import { type SystemError } from "../open-failure.js";
import { errorOf } from "../../shared/thrown.js";

/** RFC 8305 section 8: milliseconds between the starts of two attempts. */
const ATTEMPT_DELAY = 250;

export interface RaceSettings<Stream extends Duplex, Result> {
  /** Such as `192.0.2.1:443`, in the order in which to try them. */
  readonly addresses: readonly string[];
  readonly runtime: Runtime;
  /** Starts to connect. */
  open(address: string): Stream;
  /** Destroys the stream of a failed or superseded attempt. */
  discard(stream: Stream): void;
  /** Called during the winner's `connect` event, so that it misses no later event. */
  onConnected(stream: Stream): Result | PromiseLike<Result>;
  /** The error for a stream that closed without an error. */
  closedEarly(): SystemError;
}

export class AddressRace<Stream extends Duplex, Result> extends Deadline {
  readonly #settings: RaceSettings<Stream, Result>;
  /** Pending attempts, each with the function that removes its listeners. */
  readonly #attempts = new Map<string, { readonly stream: Stream; readonly removeListeners: () => void }>();
  readonly #errors = new Map<string, SystemError>();
  #next = 0;
  #isOver = false;
  #resolve: (result: Result | PromiseLike<Result>) => void = ignore;
  #reject: (error: unknown) => void = ignore;
  /** Bound to this async context: the shared timer runs in the async context of another connection. */
  readonly #startLater: () => void;

  constructor(settings: RaceSettings<Stream, Result>) {
    super();
    this.#settings = settings;
    const start = () => this.#startNext();
    this.#startLater = settings.addresses.length > 1 ? AsyncResource.bind(start) : start;
  }

  /**
   * Connects. The promise stays pending after `stop()`.
   *
   * @throws the error of the only address, an AggregateError if there are several, or the error that `open` threw
   */
  run(): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#startNext();
    });
  }

  /** Ends the race. The caller destroys the streams. */
  stop(): void {
    this.#isOver = true;
    this.#settings.runtime.timers.cancel(this);
    for (const { removeListeners } of this.#attempts.values()) removeListeners();
    this.#attempts.clear();
  }

  /** The progress of each address, for an error message. Empty if there is only one address. */
  describe(): string {
    const { addresses } = this.#settings;
    if (addresses.length === 1) return "";
    return addresses
      .slice(0, this.#next)
      .map((address) => {
        const error = this.#errors.get(address);
        return error === undefined ? `${address}: no answer yet` : detailOfAddress(address, error);
      })
      .join("; ");
  }

  onAlarm(): void {
    this.#startLater();
  }

  #startNext(): void {
    if (this.#isOver) return;
    const { addresses, runtime } = this.#settings;
    const address = addresses[this.#next++];
    try {
      this.#listen(address, this.#settings.open(address));
    } catch (error) {
      this.#endWith(error);
      return;
    }
    const { timers, clock } = runtime;
    if (this.#next < addresses.length) timers.set(this, clock.now() + ATTEMPT_DELAY);
  }

  #listen(address: string, stream: Stream): void {
    const onConnect = () => this.#win(address, stream);
    const onError = (error: unknown) => this.#lose(address, stream, errorOf(error));
    const onClose = () => this.#lose(address, stream, this.#settings.closedEarly());
    const removeListeners = () =>
      void stream.off("connect", onConnect).off("error", onError).off("close", onClose);
    stream.on("connect", onConnect).on("error", onError).on("close", onClose);
    this.#attempts.set(address, { stream, removeListeners });
  }

  #win(address: string, winner: Stream): void {
    this.#attempts.get(address)?.removeListeners();
    this.#attempts.delete(address);
    this.#discardAll();
    this.#resolve(this.#settings.onConnected(winner));
  }

  #lose(address: string, stream: Stream, error: SystemError): void {
    this.#attempts.get(address)?.removeListeners();
    this.#attempts.delete(address);
    this.#errors.set(address, error);
    this.#settings.discard(stream);
    this.#settings.runtime.timers.cancel(this);
    if (this.#next < this.#settings.addresses.length) this.#startNext();
    else if (this.#attempts.size === 0) this.#endWith(this.#failure());
  }

  /** The errors in the order of the addresses, not of the failures. */
  #failure(): SystemError {
    const errors = this.#settings.addresses.map(
      (address) => [address, this.#errors.get(address) ?? this.#settings.closedEarly()] as const,
    );
    if (errors.length === 1) return errors[0][1];
    return new AggregateError(
      errors.map((error) => withAddress(...error)),
      "No address could be reached.",
    );
  }

  #endWith(error: unknown): void {
    this.#discardAll();
    this.#reject(error);
  }

  #discardAll(): void {
    const streams = [...this.#attempts.values()].map(({ stream }) => stream);
    this.stop();
    for (const stream of streams) this.#settings.discard(stream);
  }
}

/** Adds the address to the error, unless its message contains it. */
function withAddress(address: string, error: SystemError): SystemError {
  if (error.message.includes(address)) return error;
  const { code } = error;
  const named = new Error(detailOfAddress(address, error), { cause: error });
  return code === undefined ? named : Object.assign(named, { code });
}

function detailOfAddress(address: string, { message, code, name }: SystemError): string {
  const detail = message.trim() === "" ? (code ?? name) : message.trim();
  return detail.includes(address) ? detail : `${address}: ${detail}`;
}
