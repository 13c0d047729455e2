// The client, whatever its connections are made of: `Client` of Node.js and of browsers is this with a connector.

import { checkClose, type Bytes } from "../connection/arguments.js";
import type { CloseInfo } from "../connection/close-info.js";
import {
  CALL_OPTIONS,
  type CallOptions,
  type Connection,
  type SendOptions,
} from "../connection/connection.js";
import { ConcurrencyError } from "../connection/errors.js";
import type { Fragments } from "../connection/fragmented-send.js";
import type { ConnectionState } from "../connection/connection-core.js";
import { describeObject, showInInspector } from "../connection/inspection.js";
import { checkOptionNames } from "../shared/option-names.js";
import { type ConnectionSettings } from "../connection/options.js";
import { checkSignal, invalidArgument } from "../shared/option-checks.js";
import { LatencyStatistics, type LatencyStats } from "../heartbeat/latency-statistics.js";
import { InvalidStateError } from "../shared/errors.js";
import { checkPollInterval, type StreamOptions } from "./client-options.js";
import type { Connector, ConnectorOptions } from "./connector.js";
import { EventStream, type RunningStream, type StreamHandler } from "./stream/event-stream.js";
import type { ClientEvent } from "./events.js";
import { checkPersistOptions, type PersistOptions, type PersistSettings } from "./retry/persist-options.js";
import { RetryPolicy } from "./retry/retry-policy.js";
import { fixTarget, type ValueOrFactory, type PerAttemptOptions, type Target } from "./target.js";
import { showURL } from "../shared/show-url.js";

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
  const pollInterval = checkPollInterval(options);
  return { target, settings, pollInterval, signal: checkSignal(options.signal) } satisfies ClientSetup;
}

let persistEvents: (client: ClientBase, options: PersistOptions) => AsyncIterable<ClientEvent>;

/** Everything that the `Client` of Node.js and that of browsers have in common. */
export abstract class ClientBase implements AsyncIterable<ClientEvent> {
  readonly #target: Target<ConnectorOptions>;
  readonly #settings: ConnectionSettings;
  readonly #pollInterval: number | null;
  readonly #signal: AbortSignal | null;
  #stream: RunningStream | null = null;

  static {
    persistEvents = (client, options) => {
      const settings = checkPersistOptions(options, client.#target.connector.runtime.platform);
      return client.#iterable(settings, settings.signal);
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
   * The state, as the events tell it: when one is delivered, it agrees with that. "closed" where no attempt is under
   * way: before the first event, after `disconnected`, and while `persist()` waits.
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
    return this.connection?.latencyStats ?? new LatencyStatistics().snapshot();
  }

  /** Bytes that were sent, and that the kernel has not taken yet. */
  get bufferedAmount(): number {
    return this.connection?.bufferedAmount ?? 0;
  }

  /**
   * Connects once, when the loop over it begins. Each loop is a new connection. Leaving the loop ends the connection
   * at once (the peer gets a Close with 1001); for an orderly end call `close()`, and go on until `disconnected`.
   *
   * @param options `signal` ends it at any moment: `disconnected` follows, and the loop is over
   * @throws ConcurrencyError, from the loop, while another one runs
   */
  connect(options: CallOptions = {}): AsyncIterable<ClientEvent> {
    checkOptionNames("connect()", options, CALL_OPTIONS);
    const signal = checkSignal(options.signal);
    return this.#iterable(null, signal);
  }

  /** As a loop over `connect()`. */
  [Symbol.asyncIterator](): AsyncIterator<ClientEvent, undefined> {
    return this.#open(null, null);
  }

  /**
   * Sends a message, as `Connection.send()` does.
   *
   * @throws InvalidStateError where the client is not connected
   */
  send(data: string | Bytes | Fragments, options?: SendOptions): Promise<void> {
    const { connection } = this;
    return connection === null ? notConnected("send()", this.state) : connection.send(data, options);
  }

  /**
   * Sends a value as JSON, in a text message.
   *
   * @throws InvalidArgumentError for what JSON cannot hold
   * @throws InvalidStateError where the client is not connected
   */
  sendJson(value: unknown, options?: SendOptions): Promise<void> {
    try {
      return this.send(toJson(value), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sends a Ping and waits for its Pong, as `Connection.ping()` does; resolves with the milliseconds that it took.
   *
   * @throws InvalidStateError where the client is not connected
   */
  ping(payload?: string | Bytes | null, options?: CallOptions): Promise<number> {
    const { connection } = this;
    return connection === null ? notConnected("ping()", this.state) : connection.ping(payload, options);
  }

  /**
   * Sends a Pong, as `Connection.pong()` does.
   *
   * @throws InvalidStateError where the client is not connected
   */
  pong(payload?: string | Bytes): void {
    const { connection } = this;
    if (connection === null) throw notConnectedError("pong()", this.state);
    connection.pong(payload);
  }

  /**
   * Ends the loop, and with it `persist()`: an open connection by the closing handshake, whose events follow;
   * an attempt to connect, and a wait, at once. Resolves with the end of the newest attempt; null where there was
   * none. To end a connection and have `persist()` make a new one, close `connection` instead.
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

  /** Ends the loop, and with it `persist()`, and an open connection without a Close. Never throws. */
  terminate(): void {
    this.#stream?.terminate();
  }

  #iterable(persist: PersistSettings | null, signal: AbortSignal | null): AsyncIterable<ClientEvent> {
    return { [Symbol.asyncIterator]: () => this.#open(persist, signal) };
  }

  #open(persist: PersistSettings | null, signal: AbortSignal | null): EventStream<ConnectorOptions> {
    return new EventStream(this.#owner, {
      target: this.#target,
      settings: this.#settings,
      pollInterval: this.#pollInterval,
      policy: persist && new RetryPolicy(persist, this.#target.connector.runtime.random),
      signals: [this.#signal, signal].filter((given) => given !== null),
    });
  }

  readonly #owner: StreamHandler = {
    onStreamBegun: (stream) => {
      if (this.#stream !== null) {
        throw new ConcurrencyError(
          "A loop over this client was begun while another one runs: make a client for each",
        );
      }
      this.#stream = stream;
    },
    onStreamOver: () => (this.#stream = null),
  };
}

/** The events of one attempt after the other, for `persist()`. */
export function eventsAcrossAttempts(
  client: ClientBase,
  options: PersistOptions,
): AsyncIterable<ClientEvent> {
  return persistEvents(client, options);
}

function toJson(value: unknown): string {
  const json = JSON.stringify(value) as string | undefined; // Undefined for a function, a symbol and undefined.
  if (json === undefined) throw invalidArgument("value", "something that JSON can hold", value);
  return json;
}

function notConnectedError(what: string, state: ConnectionState): InvalidStateError {
  return new InvalidStateError(
    `${what} was called while the client is not connected (its state is "${state}"): wait for the event "ready"`,
  );
}

function notConnected(what: string, state: ConnectionState): Promise<never> {
  return Promise.reject(notConnectedError(what, state));
}
