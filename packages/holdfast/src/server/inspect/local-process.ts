// The connections of this process, as its own viewers and those of other processes see them.

import type { Connection } from "../../connection/connection.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { quote } from "../../shared/quote.js";
import type { ServerCore } from "../server-core.js";
import type { Viewer } from "./authorize.js";
import { FrameWatch, WATCH_TIME } from "./frame-watch.js";
import type { History } from "./history.js";
import type { InspectSettings } from "./options.js";
import { Census } from "./snapshot/census.js";
import { endingWindow, explainEnding } from "./snapshot/endings.js";
import type { TopicNames } from "./snapshot/rows.js";
import { Survey } from "./snapshot/survey.js";
import type { ActionName, ProcessSummary, Query, RowWindow, WatchedFrames } from "./wire.js";

/** Milliseconds that an operator waits for a pong. */
const PING_TIMEOUT = 10_000;

export interface Look {
  readonly window: RowWindow;
  readonly watch: WatchedFrames | null;
}

export interface LocalProcessInit {
  readonly id: string;
  /** Host and process id. */
  readonly name: string;
  /** When the inspector was set up, in monotonic milliseconds. */
  readonly since: number;
  readonly core: ServerCore;
  readonly settings: InspectSettings;
  readonly history: History;
}

export class LocalProcess {
  readonly id: string;
  readonly #name: string;
  readonly #core: ServerCore;
  readonly #settings: InspectSettings;
  readonly #survey: Survey;
  readonly #history: History;
  /** By viewer. */
  readonly #watches = new Map<string, FrameWatch>();

  constructor({ id, name, since, core, settings, history }: LocalProcessInit) {
    const { topics } = settings;
    this.id = id;
    this.#name = name;
    this.#history = history;
    this.#core = core;
    this.#settings = settings;
    const { clock } = core.runtime;
    const topicsOf: TopicNames = (connection) => topics?.topicsOf(connection) ?? NO_TOPICS;
    const census = new Census(history, clock, since, () => process.memoryUsage.rss());
    this.#survey = new Survey(core.connections, topicsOf, clock, census);
  }

  async summary(): Promise<ProcessSummary> {
    return { id: this.id, name: this.#name, error: null, totals: await this.#survey.totals() };
  }

  async look(query: Query, viewer: string): Promise<Look> {
    const window =
      query.view === "endings"
        ? endingWindow(this.#history, query)
        : await this.#survey.window(query, viewer);
    const watch = this.#watches.get(viewer)?.take() ?? null;
    if (watch?.left === 0) this.#watches.delete(viewer);
    return { window, watch };
  }

  /** @throws InvalidArgumentError if the ending is no longer kept */
  explain(ending: number): string {
    const text = explainEnding(this.#history, ending);
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
    this.#survey.forget(viewer);
    this.#watches.get(viewer)?.end();
    this.#watches.delete(viewer);
  }

  close(): void {
    for (const viewer of this.#watches.keys()) this.forget(viewer);
  }

  #watch(connection: Connection, viewer: string): void {
    for (const [key, watch] of this.#watches) {
      if (watch.connection === connection) watch.end(); // A connection has one watcher.
      // The viewers of other processes do not report that they leave.
      if (watch.isAbandoned) this.#watches.delete(key);
    }
    this.#watches.set(viewer, new FrameWatch(connection, this.#core.runtime, this.#settings.showsPayloads));
  }

  #find(id: string): Connection | null {
    for (const connection of this.#core.connections) if (connection.id === id) return connection;
    return null;
  }
}

const NO_TOPICS: ReadonlyMap<string, unknown> = new Map();
export const NO_ACTIONS = "Expected no action, because the option `actions` of inspect() does not allow it.";
