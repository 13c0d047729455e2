// Keeps the session of a persistent connection while its client does not run: reads and writes the state that `keep`
// stores.

import type { FaultLogger } from "../../connection/platform.js";
import type { KeptClient, SessionKeep } from "../../connection/session-keep.js";
import { ignoreRejection } from "../../shared/deferred.js";
import { HoldfastError, InvalidArgumentError } from "../../shared/errors.js";
import { checkFunction, invalidArgument } from "../../shared/option-checks.js";
import { callSafely, refusePromise } from "../../connection/arguments.js";
import { decodeKeptState, encodeKeptState, type KeptState } from "../../session/kept-state.js";

/** Its methods may be async by mistake. */
type UncheckedKeep = {
  readonly [Name in keyof SessionKeep]: (...args: Parameters<SessionKeep[Name]>) => unknown;
};

export class KeptSession {
  /** The state that an earlier client has kept; null for none. */
  state: KeptState | null;
  /** The origin and path of the URL: its query may contain a token. Null before a function has returned it. */
  #server: string | null;
  /** That of the state that was taken, until the first attempt; null if it is unknown. */
  #taken: string | null = null;
  readonly #keep: UncheckedKeep;
  readonly #logger: FaultLogger | null;
  readonly #unwatch: () => unknown;
  #client: KeptClient | null = null;
  /** The stored text; null if there is none. */
  #stored: string | null = null;
  #hasWarned = false;

  /**
   * Watches the keep, and takes what it keeps.
   *
   * @param url null if a function will return it
   * @throws InvalidArgumentError if `watch` throws or does not return a function, or the keep is in use
   */
  constructor(keep: SessionKeep, logger: FaultLogger | null, url: string | null) {
    this.#server = url && serverOf(url);
    this.#keep = keep;
    this.#logger = logger;
    this.#unwatch = watch(keep, {
      suspend: () => this.#client?.suspend(),
      resume: () => this.#client?.resume(),
    });
    this.state = this.#load();
  }

  /** Reports to this client from now on when the page, or the process, is about to stop. */
  attach(client: KeptClient): void {
    this.#client = client;
  }

  unwatch(): void {
    callSafely(this.#unwatch, (error) => this.#warn("the session's keep failed to stop watching", error));
  }

  /** Takes the state of an earlier client; null if there is none, or none that can be used. */
  #load(): KeptState | null {
    const text = this.#take();
    if (text === null) return null;
    const state = decodeKeptState(text);
    if (state === null) this.#warn("the kept session is damaged, or of another version: it is ignored");
    else if (!this.#isSame((this.#taken = state.server))) return null;
    return state;
  }

  /** An attempt goes to this URL. Returns false if the state that was taken must not. */
  isFor(url: string): boolean {
    this.#server = serverOf(url);
    const isSame = this.#isSame(this.#taken);
    this.#taken = null; // Later attempts may go elsewhere: their servers share sessions.
    return isSame;
  }

  /** Other servers must get neither the session's secret nor its messages. */
  #isSame(server: string | null): boolean {
    if (server === null || this.#server === null || this.#server === server) return true;
    this.#warn("the kept session is of another server: it is ignored. Give each server its own keep");
    return false;
  }

  /**
   * Another client has taken the saved state. Takes the state that it has stored if it has stopped, too, as in a page that
   * returns from the back/forward cache. Null if there is none.
   */
  adopt(): KeptState | null {
    this.#stored = null;
    return (this.state = this.#load());
  }

  save(state: Omit<KeptState, "server">): void {
    try {
      const text = encodeKeptState({ ...state, server: this.#server ?? this.#taken }); // Throws if it exceeds the longest string.
      refusePromise("session.keep.save()", SYNCHRONOUS, this.#keep.save(text));
      this.#stored = text;
    } catch (error) {
      this.#take(); // An earlier state is out of date.
      this.#stored = null;
      this.#warn("the session cannot be kept", error);
    }
  }

  /** Removes the state that was saved last. Returns false if another client has taken it; its own state stays. */
  reclaim(): boolean {
    if (this.#stored !== null && this.#take(this.#stored) === null) return false;
    this.#stored = null;
    return true;
  }

  /** With `expected`, takes no other state. */
  #take(expected: string | null = null): string | null {
    try {
      const text: unknown = this.#keep.load();
      ignoreRejection(text);
      if (expected !== null && text !== expected) return null;
      refusePromise("session.keep.clear()", SYNCHRONOUS, this.#keep.clear());
      refusePromise("session.keep.load()", SYNCHRONOUS, text);
      if (typeof text === "string") return text;
      if (text === null || text === undefined) return null;
      throw invalidArgument("session.keep.load()", "a string or null", text);
    } catch (error) {
      this.#warn("the kept session cannot be read", error);
      return null; // It may still be stored, but a state that cannot be removed must not be used.
    }
  }

  #warn(message: string, error?: unknown): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    if (error === undefined) this.#logger?.warn(message);
    else this.#logger?.warn(message, { error });
  }
}

function watch(keep: UncheckedKeep, client: KeptClient): () => unknown {
  let unwatch: unknown;
  try {
    unwatch = keep.watch(client);
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause; // `sessionStorageKeep()` says that its name is in use.
    const message =
      "Expected session.keep.watch() to return a function, got an error. `cause` is what it threw.";
    throw new InvalidArgumentError(message, { cause });
  }
  ignoreRejection(unwatch);
  checkFunction("session.keep.watch()", unwatch);
  return unwatch as () => unknown; // A function, as just checked.
}

function serverOf(url: string): string {
  return url.split("?", 1).join();
}

const SYNCHRONOUS = "synchronous";
