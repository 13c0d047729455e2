// The port to what keeps a client's session while the client is not running.

/**
 * Keeps a session across a reload of the page, or a restart of the client, so that the next `connectPersistent()` with the
 * same keep resumes it. Its methods are synchronous, since a page that is being unloaded cannot wait. For pages there is
 * `sessionStorageKeep()`.
 *
 * The state contains the session's secret and unsent messages: store it where only this client can read it. It must be
 * used once only: two clients that resume from the same state would receive messages twice. That is why the state is
 * stored only while no client runs, and removed before the next one uses it.
 */
export interface SessionKeep {
  /** Returns the state that was saved last; null if there is none. `clear()` follows at once if this client uses it. */
  load(): string | null;
  /** Stores the state. If it throws, the session is not kept, and a warning is logged. */
  save(state: string): void;
  /** Removes the stored state. */
  clear(): void;
  /**
   * Reports when the client is about to stop, and when it continues after all. Called once, when the persistent
   * connection begins. Returns an unsubscribe function, which is called at its end.
   */
  watch(client: KeptClient): () => void;
}

/** The client whose session is kept. */
export interface KeptClient {
  /**
   * Ends the socket, not the session, and saves. Afterwards the client does not connect, until `resume()`. `close()` and
   * `terminate()` end the session also then, and clear the state.
   */
  suspend(): void;
  /**
   * The client continues. If another client has resumed the session meanwhile, this one continues the state that the other
   * one has saved, or begins another session.
   */
  resume(): void;
}
