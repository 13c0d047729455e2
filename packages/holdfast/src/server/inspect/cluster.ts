// Finds the other processes with an inspector, and asks them. They find each other by their presence in a topic of
// their own, and talk through the engine of their topics.

import type { FaultLogger } from "../../connection/platform.js";
import type { Clock } from "../../connection/ports.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import { errorOf } from "../../shared/thrown.js";
import type { Engine } from "../../topics/engine/engine.js";
import type { Viewer } from "./authorize.js";
import type { Look, LocalProcess } from "./local-process.js";
import type { ActionName, ProcessSummary, Query } from "./wire.js";

/** The presence of the processes. The name begins with a control character, so that no application uses it. */
const TOPIC = "\u0001holdfast-inspect";
/** Milliseconds that another process has for its answer. */
const TIMEOUT = 1_500;
/** Milliseconds for which the list of processes is good enough. */
const FRESH_FOR = 3_000;

/** A request to another process. */
export type ProcessRequest =
  | {
      readonly type: "act";
      readonly action: ActionName;
      readonly id: string;
      readonly viewer: Viewer;
      readonly key: string;
    }
  | { readonly type: "explain"; readonly ending: number }
  | { readonly type: "look"; readonly query: Query; readonly key: string }
  | { readonly type: "summary" };

type Answer = { readonly value: unknown } | { readonly error: string };

interface Peer {
  readonly node: string;
  readonly name: string;
}

/** An engine passes requests to one function. */
const served = new WeakSet<Engine>();

export interface ClusterInit {
  readonly engine: Engine;
  /** Host and process id. */
  readonly name: string;
  /** Loads the code that answers. */
  readonly local: () => Promise<LocalProcess>;
  readonly clock: Clock;
  readonly logger: FaultLogger | null;
}

export class Cluster {
  readonly #engine: Engine;
  readonly #local: () => Promise<LocalProcess>;
  readonly #clock: Clock;
  readonly #logger: FaultLogger | null;
  #peers: readonly Peer[] = [];
  #listedAt = -Infinity;

  /** @throws InvalidArgumentError if the engine has an inspector already */
  constructor({ engine, name, local, clock, logger }: ClusterInit) {
    if (served.has(engine)) {
      throw new InvalidArgumentError(
        "Expected `topics` whose engine has no other inspector in this process, got one that has. Call inspect() with `topics` once.",
      );
    }
    served.add(engine);
    this.#engine = engine;
    this.#local = local;
    this.#clock = clock;
    this.#logger = logger;
    engine.answer((body) => this.#answer(body));
    engine.presence
      .join(TOPIC, { id: engine.node, data: name })
      .catch((error: unknown) => this.#report(error));
  }

  /** The totals of the other processes. */
  async summaries(): Promise<readonly ProcessSummary[]> {
    await this.#list();
    return Promise.all(
      this.#peers.map(async ({ node, name }) => {
        try {
          const summary = (await this.request(node, { type: "summary" })) as ProcessSummary; // Its own form.
          return { ...summary, id: node, name };
        } catch (error) {
          return { id: node, name, error: errorOf(error).message, totals: null };
        }
      }),
    );
  }

  /** @throws InvalidArgumentError if the other process refuses, EngineUnavailableError if it does not answer */
  async request(node: string, request: ProcessRequest): Promise<unknown> {
    const body = encoder.encode(JSON.stringify(request));
    const answer = JSON.parse(decoder.decode(await this.#engine.request(node, body, TIMEOUT))) as Answer;
    if ("error" in answer) throw new InvalidArgumentError(answer.error);
    return answer.value;
  }

  close(): void {
    served.delete(this.#engine);
    this.#engine.answer(null);
    this.#engine.presence.leave(TOPIC, this.#engine.node).catch((error: unknown) => this.#report(error));
  }

  async #list(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#listedAt < FRESH_FOR) return;
    this.#listedAt = now;
    try {
      const { members } = await this.#engine.presence.list(TOPIC);
      this.#peers = members
        .filter(({ id }) => id !== this.#engine.node)
        .map(({ id, data }) => ({ node: id, name: String(data) }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (error) {
      this.#report(error);
    }
  }

  async #answer(body: Uint8Array): Promise<Uint8Array> {
    let answer: Answer;
    try {
      answer = { value: await this.#serve(JSON.parse(decoder.decode(body)) as ProcessRequest) };
    } catch (error) {
      answer = { error: errorOf(error).message };
    }
    return encoder.encode(JSON.stringify(answer));
  }

  /** Processes that share an engine trust each other: the one with the viewer has checked the request. */
  async #serve(request: ProcessRequest): Promise<Look | ProcessSummary | string> {
    const local = await this.#local();
    switch (request.type) {
      case "summary":
        return local.summary();
      case "look":
        return local.look(request.query, request.key);
      case "explain":
        return local.explain(request.ending);
      case "act":
        return local.act(request.action, request.id, request.viewer, request.key);
    }
  }

  #report(error: unknown): void {
    this.#logger?.warn("the inspector cannot reach other processes", { error: errorOf(error) });
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
