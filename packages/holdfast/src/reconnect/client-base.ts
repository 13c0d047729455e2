// The base of `Client` for Node.js and of `Client` for browsers, which differ only in the connector.

import { checkClose, type Bytes } from "../connection/arguments.js";
import type { CloseInfo } from "../connection/close-info.js";
import type { CallOptions, Connection, PingOptions, SendOptions } from "../connection/connection.js";
import { CALL_OPTIONS } from "../connection/call-options.js";
import { ConcurrencyError } from "../connection/errors.js";
import { endSource, type Fragments } from "../connection/sending/source.js";
import type { ConnectionState } from "../connection/connection-core.js";
import { describeObject, showInInspector } from "../connection/inspection.js";
import { checkOptionNames, type OptionNames } from "../shared/option-names.js";
import { type ConnectionSettings } from "../connection/options.js";
import { checkDuration, checkSignal, invalidArgument } from "../shared/option-checks.js";
import type { LatencyStats } from "../heartbeat/latency-statistics.js";
import { noLatency } from "../heartbeat/no-latency.js";
import { InvalidStateError } from "../shared/errors.js";
import type { Connector, ConnectorOptions } from "./connector.js";
import { EventStream, type RunningStream, type StreamHandler } from "./stream/event-stream.js";
import type { ClientEvent } from "./events.js";
import { checkPersistOptions, type PersistOptions, type PersistSettings } from "./retry/persist-options.js";
import { fixTarget, type ValueOrFactory, type PerAttemptOptions, type Target } from "./target.js";
import { showURL } from "../shared/show-url.js";

/** Options of the event stream. */
export interface StreamOptions {
  /** Milliseconds between two `poll` events; null for none. @default 5000 */
  readonly pollInterval?: number | null | undefined;
}

export const STREAM_OPTIONS: OptionNames<StreamOptions> = { pollInterval: true };

interface ClientSetup {
  readonly target: Target<ConnectorOptions>;
  readonly settings: ConnectionSettings;
  readonly pollInterval: number | null;
  readonly signal: AbortSignal | null;
}

/**
 * The argument for the constructor of `ClientBase`.
 * @throws InvalidArgumentError for an option that no attempt could use
 */
export function setUpClient<Options extends ConnectorOptions>(
  connector: Connector<Options>,
  url: ValueOrFactory<string | URL>,
  options: PerAttemptOptions<Options> & StreamOptions,
): object {
  const { target, settings } = fixTarget(connector, url, options);
  const pollInterval = checkDuration("pollInterval", options.pollInterval, 5_000);
  return { target, settings, pollInterval, signal: checkSignal(options.signal) } satisfies ClientSetup;
}

/** The events of one attempt after another: for `persist()`. Not a method, so that applications do not see it. */
export let eventsAcrossAttempts: (client: ClientBase, options: PersistOptions) => AsyncIterable<ClientEvent>;

/** The common base of `Client` for Node.js and for browsers. `persist()` accepts either. */
export abstract class ClientBase implements AsyncIterable<ClientEvent> {
  readonly #target: Target<ConnectorOptions>;
  readonly #settings: ConnectionSettings;
  readonly #pollInterval: number | null;
  readonly #signal: AbortSignal | null;
  #stream: RunningStream | null = null;

  static {
    eventsAcrossAttempts = (client: unknown, options) => {
      if (typeof client !== "object" || client === null || !(#target in client))
        throw invalidArgument("client", "a Client", client);
      const settings = checkPersistOptions(options, client.#target.connector.runtime.platform);
      return client.#iterable(settings, null);
    };
    showInInspector(this, ({ connection, state, latency }) => {
      const url = connection === null ? undefined : showURL(connection.url);
      return describeObject("Client", { state, url, latency });
    });
  }

  /** @param setup from `setUpClient`; an `object`, so that the declarations which ship do not name its type */
  protected constructor(setup: object) {
    const { target, settings, pollInterval, signal } = setup as ClientSetup; // Only `setUpClient` makes one.
    this.#target = target;
    this.#settings = settings;
    this.#pollInterval = pollInterval;
    this.#signal = signal;
  }

  /**
   * The state according to the events delivered so far. "closed" while no attempt is in progress: before the first
   * event, after `disconnected`, and while `persist()` waits.
   */
  get state(): ConnectionState {
    return this.#stream?.state ?? "closed";
  }

  /** The open connection, from `ready` to `disconnected`; null otherwise. */
  get connection(): Connection | null {
    return this.#stream?.connection ?? null;
  }

  /** Milliseconds that the newest answered ping took; null before the first of each connection. */
  get latency(): number | null {
    return this.connection?.latency ?? null;
  }

  /** Statistics of the connection's round-trip times, in milliseconds. A snapshot. */
  get latencyStats(): LatencyStats {
    return this.connection?.latencyStats ?? noLatency();
  }

  /** Bytes that were sent and that the kernel has not accepted yet. */
  get bufferedAmount(): number {
    return this.connection?.bufferedAmount ?? 0;
  }

  /**
   * Connects once. Each loop over the result opens a new connection when it starts. Leaving the loop ends the
   * connection at once (the peer gets a Close with 1001). To close cleanly, call `close()` and continue the loop until
   * `disconnected`.
   *
   * @param options `signal` ends the loop at any moment, after a last `disconnected`
   * @throws ConcurrencyError, from the loop, while another loop over the client runs
   */
  connect(options: CallOptions = {}): AsyncIterable<ClientEvent> {
    checkOptionNames("connect()", options, CALL_OPTIONS);
    const signal = checkSignal(options.signal);
    return this.#iterable(null, signal);
  }

  /** The same as a loop over `connect()`. */
  [Symbol.asyncIterator](): AsyncIterator<ClientEvent, undefined> {
    return this.#open(null, null);
  }

  /**
   * Sends a message, as `Connection.send()` does.
   *
   * @throws InvalidStateError if the client is not connected
   */
  send(data: string | Bytes | Fragments, options?: SendOptions): Promise<void> {
    const { connection } = this;
    return connection === null ? notConnected("send()", this.state, data) : connection.send(data, options);
  }

  /**
   * Sends a value as JSON, in a text message.
   *
   * @throws InvalidArgumentError for a value that JSON cannot represent
   * @throws InvalidStateError if the client is not connected
   */
  sendJson(value: unknown, options?: SendOptions): Promise<void> {
    try {
      return this.send(toJson(value), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sends a Ping and waits for its Pong, as `Connection.ping()` does. Resolves with the round-trip time in milliseconds.
   *
   * @throws InvalidStateError if the client is not connected
   */
  ping(payload?: string | Bytes | null, options?: PingOptions): Promise<number> {
    const { connection } = this;
    return connection === null ? notConnected("ping()", this.state) : connection.ping(payload, options);
  }

  /**
   * Sends a Pong, as `Connection.pong()` does.
   *
   * @throws InvalidStateError if the client is not connected
   */
  pong(payload?: string | Bytes): void {
    const { connection } = this;
    if (connection === null) throw notConnectedError("pong()", this.state);
    connection.pong(payload);
  }

  /**
   * Ends the loop, including one over `persist()`. An open connection gets a closing handshake, whose events follow; an
   * attempt or a delay ends at once. Resolves with the `CloseInfo` of the newest attempt; null if there was none. To
   * end a connection and have `persist()` open a new one, call `connection.close()` instead.
   *
   * @param code 1000–1003, 1007–1014 or 3000–4999. @default 1000
   * @param reason at most 123 bytes of UTF-8. @default ""
   * @throws InvalidArgumentError for any other code or a longer reason; nothing changes
   */
  close(code = 1000, reason = ""): Promise<CloseInfo | null> {
    try {
      return this.#stream?.close(checkClose(code, reason)) ?? Promise.resolve(null);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Ends the loop, including one over `persist()`, and an open connection without a Close. Never throws. */
  terminate(): void {
    this.#stream?.terminate();
  }

  #iterable(persist: PersistSettings | null, signal: AbortSignal | null): AsyncIterable<ClientEvent> {
    return { [Symbol.asyncIterator]: () => this.#open(persist, signal) };
  }

  #open(persist: PersistSettings | null, signal: AbortSignal | null): EventStream<ConnectorOptions> {
    return new EventStream(this.#streamHandler, {
      target: this.#target,
      settings: this.#settings,
      pollInterval: this.#pollInterval,
      persist,
      signals: [this.#signal, signal],
    });
  }

  readonly #streamHandler: StreamHandler = {
    onStreamStarted: (stream) => {
      if (this.#stream !== null) {
        throw new ConcurrencyError(
          "Expected one loop over a client at a time, got another one. Create a client for each loop.",
        );
      }
      this.#stream = stream;
    },
    onStreamOver: () => (this.#stream = null),
  };
}

function toJson(value: unknown): string {
  const json = JSON.stringify(value) as string | undefined; // Undefined for a function, a symbol and undefined.
  if (json === undefined) throw invalidArgument("value", "a value that JSON can represent", value);
  return json;
}

function notConnectedError(what: string, state: ConnectionState): InvalidStateError {
  return new InvalidStateError(
    `Expected ${what} while the client is connected, got the state "${state}". Wait for the event "ready".`,
  );
}

/** @param data ended if it is a stream or an iterable */
function notConnected(what: string, state: ConnectionState, data?: unknown): Promise<never> {
  endSource(data);
  return Promise.reject(notConnectedError(what, state));
}
