// "Happy Eyeballs" (RFC 8305 section 5): tries the addresses of a host one after the other, a little apart, and takes
// the first connection that is up. An attempt under way goes on while the next one starts.

import { AsyncResource } from "node:async_hooks";
import type { Duplex } from "node:stream";
import type { Runtime } from "../../connection/runtime.js";
import { Alarm, type AlarmHandler } from "../../connection/timer-queue.js";
import { type SystemError } from "../open-failure.js";
import { errorOf } from "../../shared/thrown.js";

/** RFC 8305 section 8: milliseconds after which the next address is tried as well. */
export const ATTEMPT_DELAY = 250;

export interface RaceSettings<Stream extends Duplex, Result> {
  /** Such as `192.0.2.1:443`, in the order in which to try them. */
  readonly addresses: readonly string[];
  readonly runtime: Runtime;
  /** Starts to connect. */
  open(address: string): Stream;
  /** Destroys the stream of an attempt that is over. */
  discard(stream: Stream): void;
  /** Is called within the winner's event `connect`, so that no later event is missed. */
  onConnected(stream: Stream): Result | PromiseLike<Result>;
  /** The error of an attempt whose stream closed without one. */
  closedEarly(): SystemError;
}

export class AddressRace<Stream extends Duplex, Result> implements AlarmHandler {
  readonly #settings: RaceSettings<Stream, Result>;
  readonly #alarm = new Alarm(this);
  /** The attempts under way, each with the function that removes its listeners. */
  readonly #attempts = new Map<string, { readonly stream: Stream; readonly unlisten: () => void }>();
  readonly #errors = new Map<string, SystemError>();
  #next = 0;
  #isOver = false;
  #resolve: (result: Result | PromiseLike<Result>) => void = nothing;
  #reject: (error: unknown) => void = nothing;
  /** The timer would start a later attempt in the async context of another connection. */
  readonly #startLater: () => void;

  constructor(settings: RaceSettings<Stream, Result>) {
    this.#settings = settings;
    const start = () => this.#startNext();
    this.#startLater = settings.addresses.length > 1 ? AsyncResource.bind(start) : start;
  }

  /**
   * Connects. Stays pending after `stop()`.
   *
   * @throws the error of the only address, or an AggregateError of all of them; and what `open` throws
   */
  run(): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#startNext();
    });
  }

  /** Ends the race. The streams are the caller's to destroy. */
  stop(): void {
    this.#isOver = true;
    this.#settings.runtime.timers.cancel(this.#alarm);
    for (const { unlisten } of this.#attempts.values()) unlisten();
    this.#attempts.clear();
  }

  /** How far each address has come, for a message; empty where there is only one. */
  describe(): string {
    const { addresses } = this.#settings;
    if (addresses.length === 1) return "";
    return addresses
      .slice(0, this.#next)
      .map((address) => {
        const error = this.#errors.get(address);
        return error === undefined ? `${address}: no answer yet` : detailOfAttempt(address, error);
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
    if (this.#next < addresses.length) timers.set(this.#alarm, clock.now() + ATTEMPT_DELAY);
  }

  #listen(address: string, stream: Stream): void {
    const onConnect = () => this.#win(address, stream);
    const onError = (error: unknown) => this.#lose(address, stream, errorOf(error));
    const onClose = () => this.#lose(address, stream, this.#settings.closedEarly());
    const unlisten = () => void stream.off("connect", onConnect).off("error", onError).off("close", onClose);
    stream.on("connect", onConnect).on("error", onError).on("close", onClose);
    this.#attempts.set(address, { stream, unlisten });
  }

  #win(address: string, winner: Stream): void {
    this.#attempts.get(address)?.unlisten();
    this.#attempts.delete(address);
    this.#discardAll();
    this.#resolve(this.#settings.onConnected(winner));
  }

  #lose(address: string, stream: Stream, error: SystemError): void {
    this.#attempts.get(address)?.unlisten();
    this.#attempts.delete(address);
    this.#errors.set(address, error);
    this.#settings.discard(stream);
    this.#settings.runtime.timers.cancel(this.#alarm);
    if (this.#next < this.#settings.addresses.length) this.#startNext();
    else if (this.#attempts.size === 0) this.#endWith(this.#failure());
  }

  /** In the order of the addresses, not of the failures. */
  #failure(): SystemError {
    const errors = this.#settings.addresses.map(
      (address) => [address, this.#errors.get(address) ?? this.#settings.closedEarly()] as const,
    );
    if (errors.length === 1) return errors[0][1];
    return new AggregateError(
      errors.map((error) => withAddress(...error)),
      "No address could be reached",
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

/** Most errors of the system name the address themselves. */
function withAddress(address: string, error: SystemError): SystemError {
  if (error.message.includes(address)) return error;
  const { code } = error;
  const named = new Error(detailOfAttempt(address, error), { cause: error });
  return code === undefined ? named : Object.assign(named, { code });
}

function detailOfAttempt(address: string, { message, code, name }: SystemError): string {
  const detail = message.trim() === "" ? (code ?? name) : message.trim();
  return detail.includes(address) ? detail : `${address}: ${detail}`;
}

function nothing(): void {
  // Until run() is called.
}
