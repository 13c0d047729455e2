// A connector without a network, on a fake clock: the test decides the outcome of each attempt, and acts as the peer.

import assert from "node:assert/strict";
import { FakeClock, FakeTransport, frame, OPCODE, closePayload, SeededRandom } from "holdfast-testkit";
import { createConnection, type Connection } from "../../build/connection/connection.js";
import { coreOf } from "../../build/connection/core-of.js";
import { heartbeatKeepalive } from "../../build/connection/keepalive/heartbeat-keepalive.js";
import { FrameRuntime } from "../../build/transport/frames/frame-runtime.js";
import { overFrames } from "../../build/transport/frames/frame-transport.js";
import { checkConnectionOptions } from "../../build/connection/options.js";
import { ClientBase, setUpClient, type StreamOptions } from "../../build/reconnect/client-base.js";
import type { Connector, ConnectorOptions } from "../../build/reconnect/connector.js";
import type { OpenObserver } from "../../build/connection/open-observer.js";
import type { ValueOrFactory, PerAttemptOptions } from "../../build/reconnect/target.js";
import type { MessageExtension } from "../../build/protocol/extension.js";
import { InvalidURLError } from "../../build/shared/errors.js";
import { describeFrame, parseFrames } from "../connection/harness.js";

/** One call of `open`. */
export class ScriptedAttempt {
  readonly url: string;
  readonly options: ConnectorOptions;
  readonly transport: FakeTransport;
  readonly #runtime: FrameRuntime;
  readonly #observer: OpenObserver | null;
  readonly #settle: PromiseWithResolvers<Connection>;
  /** The signal aborted before the attempt had ended. */
  isGivenUp = false;
  hasFailed = false;
  isOpen = false;

  constructor(
    url: string,
    options: ConnectorOptions,
    observer: OpenObserver | null,
    clock: FakeClock,
    runtime: FrameRuntime,
    settle: PromiseWithResolvers<Connection>,
  ) {
    this.url = url;
    this.options = options;
    this.#observer = observer;
    this.#runtime = runtime;
    this.#settle = settle;
    this.transport = new FakeTransport({ clock });
    options.signal?.addEventListener("abort", () => {
      if (!this.isOpen) this.isGivenUp = true;
      settle.reject(options.signal?.reason);
    });
  }

  /** The attempt or its connection is still alive: neither closed nor aborted. */
  get isLive(): boolean {
    return this.isOpen ? !this.transport.isDestroyed : !this.isGivenUp && !this.hasFailed;
  }

  connected(): void {
    this.#observer?.onConnected(this.transport);
  }

  fail(error: Error): void {
    this.hasFailed = true;
    this.#settle.reject(error);
  }

  /** The upgrade succeeds, followed by these bytes. */
  open(...glued: readonly Uint8Array[]): void {
    this.openWith(null, ...glued);
  }

  openWith(extension: MessageExtension | null, ...glued: readonly Uint8Array[]): void {
    this.connected();
    this.isOpen = true;
    const settings = checkConnectionOptions({ pingInterval: null, ...this.options });
    const headers = new Headers();
    const connection = createConnection({
      keepalive: heartbeatKeepalive,
      runtime: this.#runtime,
      transport: overFrames({
        runtime: this.#runtime,
        stream: this.transport,
        role: "client",
        settings,
        extension,
        preface: null,
        rest: Buffer.concat(glued),
      }),
      settings,
      handshake: {
        url: this.url,
        request: { method: "GET", target: "/", headers },
        response: { status: 101, headers },
        subprotocol: null,
        extensions: [],
      },
      owner: null,
    });
    this.#observer?.onOpen(connection);
    coreOf(connection).start();
    this.#settle.resolve(connection);
  }

  /** The server sets the spread of its clients. */
  spread(width: number): void {
    this.#observer?.onSpread(width);
  }

  deliver(...frames: readonly Uint8Array[]): void {
    this.transport.deliver(Buffer.concat(frames));
  }

  /** Descriptions of the frames that were sent since the last call. */
  sent(): readonly string[] {
    return parseFrames(this.transport.takeWritten()).map(describeFrame);
  }
}

export class ScriptedConnector implements Connector<ConnectorOptions> {
  readonly clock = new FakeClock();
  readonly runtime: FrameRuntime;
  readonly attempts: ScriptedAttempt[] = [];
  readonly #onAttempt: (attempt: ScriptedAttempt) => void;

  /** @param onAttempt decides the outcome of each attempt; by default the test decides later */
  constructor(onAttempt: (attempt: ScriptedAttempt) => void = () => undefined, seed = 1) {
    this.runtime = new FrameRuntime(this.clock, new SeededRandom(seed));
    this.#onAttempt = onAttempt;
  }

  /** The callbacks that wait for the network to return. */
  readonly watchers = new Set<() => void>();

  readonly watchReturns = (callback: () => void): (() => void) => {
    this.watchers.add(callback);
    return () => this.watchers.delete(callback);
  };

  /** The network may have returned. */
  returnNetwork(): void {
    for (const watcher of [...this.watchers]) watcher();
  }

  /** The newest attempt. */
  get attempt(): ScriptedAttempt {
    const newest = this.attempts.at(-1);
    assert(newest !== undefined, "There was no attempt");
    return newest;
  }

  checkOptions(options: ConnectorOptions) {
    return checkConnectionOptions({ pingInterval: null, ...options });
  }

  describeURL(url: string | URL): string {
    const text = String(url);
    if (!text.startsWith("ws:")) throw new InvalidURLError(`Expected a URL, got ${text}.`);
    return text;
  }

  open(url: string | URL, options: ConnectorOptions, observer: OpenObserver | null): Promise<Connection> {
    const settle = withResolvers<Connection>();
    const attempt = new ScriptedAttempt(String(url), options, observer, this.clock, this.runtime, settle);
    this.attempts.push(attempt);
    this.#onAttempt(attempt);
    return settle.promise;
  }

  /** Asserts that no alarm, timer, callback or transport remains. */
  assertNothingLeft(): void {
    assert.deepEqual(
      {
        alarms: this.runtime.timers.size,
        timers: this.clock.pendingTimers,
        callbacks: this.clock.pendingCallbacks,
        live: this.attempts.filter(({ isLive }) => isLive).length,
      },
      { alarms: 0, timers: 0, callbacks: 0, live: 0 },
    );
  }
}

export class ScriptedClient extends ClientBase {
  constructor(
    connector: ScriptedConnector,
    url: ValueOrFactory<string | URL> = "ws://example.com/",
    options: PerAttemptOptions<ConnectorOptions> & StreamOptions = {},
  ) {
    super(setUpClient(connector, url, { pollInterval: null, ...options }));
  }
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

// Frames of the peer.
export const text = (payload: string) => frame({ opcode: OPCODE.text, payload: Buffer.from(payload) });
export const binary = (payload: Uint8Array) => frame({ opcode: OPCODE.binary, payload });
export const ping = (payload = "") => frame({ opcode: OPCODE.ping, payload });
export const pong = (payload: string | Uint8Array = "") => frame({ opcode: OPCODE.pong, payload });
export const close = (code?: number, reason?: string) =>
  frame({ opcode: OPCODE.close, payload: closePayload(code, reason) });
