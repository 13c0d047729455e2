// The connections of this process, as its own viewers and those of other processes see them.

import { hostname } from "node:os";
import { pid, memoryUsage } from "node:process";
import type { CloseInfo } from "../../connection/close-info.js";
import type { Connection } from "../../connection/connection.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { quote } from "../../shared/quote.js";
import { topicsCoreOf } from "../../topics/topics.js";
import type { ServerCore } from "../server-core.js";
import type { Viewer } from "./authorize.js";
import { FrameWatch, WATCH_TIME } from "./frame-watch.js";
import type { InspectSettings } from "./options.js";
import { Census } from "./snapshot/census.js";
import { Endings } from "./snapshot/endings.js";
import { connectionWindow, type TopicNames } from "./snapshot/rows.js";
import type { ActionName, ProcessSummary, Query, RowWindow, WatchedFrames } from "./wire.js";

/** Milliseconds that an operator waits for a pong. */
const PING_TIMEOUT = 10_000;

export interface Look {
  readonly window: RowWindow;
  readonly watch: WatchedFrames | null;
}

export class LocalProcess {
  readonly id: string;
  readonly #core: ServerCore;
  readonly #settings: InspectSettings;
  readonly #topicsOf: TopicNames;
  readonly #census: Census;
  readonly #endings = new Endings();
  /** By viewer. */
  readonly #watches = new Map<string, FrameWatch>();

  constructor(core: ServerCore, settings: InspectSettings) {
    const { topics } = settings;
    const topicsCore = topics === null ? null : topicsCoreOf(topics);
    this.id = topicsCore?.engine.node ?? core.runtime.nextId();
    this.#core = core;
    this.#settings = settings;
    this.#topicsOf = (connection) => topicsCore?.topicsOf(connection) ?? NO_TOPICS;
    this.#census = new Census(core.connections, core.runtime.clock, () => memoryUsage.rss());
  }

  get name(): string {
    return `${hostname()}:${pid}`;
  }

  onOpened(connection: Connection): void {
    // Once the socket has closed it is too late to ask for the address.
    void connection.remoteAddress;
    this.#census.onOpened();
  }

  onEnded(connection: Connection, info: CloseInfo): void {
    this.#census.onEnded(info);
    this.#endings.add(connection, info);
  }

  summary(): ProcessSummary {
    return { id: this.id, name: this.name, error: null, totals: this.#census.totals() };
  }

  look(query: Query, viewer: string): Look {
    const { connections, runtime } = this.#core;
    const window =
      query.view === "endings"
        ? this.#endings.window(query)
        : connectionWindow(connections, query, this.#topicsOf, runtime.clock.now());
    const watch = this.#watches.get(viewer)?.take() ?? null;
    if (watch?.left === 0) this.#watches.delete(viewer);
    return { window, watch };
  }

  /** @throws InvalidArgumentError if the ending is no longer kept */
  explain(ending: number): string {
    const text = this.#endings.explain(ending);
    if (text !== null) return text;
    throw new InvalidArgumentError(`Expected one of the newest 500 endings, got number ${ending}.`);
  }

  /**
   * Acts on a connection for an operator, and logs that.
   * @param viewer the key of the viewer's stream
   * @returns what happened
   * @throws InvalidArgumentError, ConnectionClosed, TooSlowError
   */
  async act(action: ActionName, id: string, { who, address }: Viewer, viewer: string): Promise<string> {
    if (this.#settings.mayAct === false) throw new InvalidArgumentError(NO_ACTIONS);
    const connection = this.#find(id);
    if (connection === null && action !== "unwatch")
      throw new InvalidArgumentError(`Expected the id of an open connection, got ${quote(id)}.`);
    this.#core.settings.connection.faultLogger?.warn("inspector action", { action, id, who, address });
    this.#watches.get(viewer)?.end();
    if (connection === null) return "";
    switch (action) {
      case "ping":
        return `Pong after ${(await connection.ping(null, { timeout: PING_TIMEOUT })).toFixed(1)} ms.`;
      case "close":
        void connection.close(1000, "closed by an operator");
        return "Sent a Close with 1000.";
      case "terminate":
        connection.terminate();
        return "Terminated.";
      case "watch":
        this.#watch(connection, viewer);
        return `Watching frames for ${WATCH_TIME / 1_000} s.`;
      case "unwatch":
        return "";
    }
  }

  /** The viewer has left. */
  forget(viewer: string): void {
    this.#watches.get(viewer)?.end();
    this.#watches.delete(viewer);
  }

  close(): void {
    for (const viewer of this.#watches.keys()) this.forget(viewer);
  }

  #watch(connection: Connection, viewer: string): void {
    // A connection has one watcher.
    for (const watch of this.#watches.values()) if (watch.connection === connection) watch.end();
    this.#watches.set(viewer, new FrameWatch(connection, this.#core.runtime, this.#settings.showsPayloads));
  }

  #find(id: string): Connection | null {
    for (const connection of this.#core.connections) if (connection.id === id) return connection;
    return null;
  }
}

const NO_TOPICS: ReadonlyMap<string, unknown> = new Map();
export const NO_ACTIONS = "Expected no action, because the option `actions` of inspect() does not allow it.";
