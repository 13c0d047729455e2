// Answers the requests for the page and for its stream. This is most of the inspector's code, and it is loaded with the
// first request, so that `import "holdfast"` stays small.

import type { Connection } from "../../connection/connection.js";
import type { ConnectionSettings } from "../../connection/options.js";
import { InvalidArgumentError } from "../../shared/errors.js";
import type { ConnectionReceiver } from "../upgrade/own-requests.js";
import type { ServerRequest } from "../upgrade/server-request.js";
import { authorize, refusal, type Viewer } from "./authorize.js";
import type { Cluster, ProcessRequest } from "./cluster.js";
import { LocalProcess, NO_ACTIONS, type Look, type LocalProcessInit } from "./local-process.js";
import { pageResponse } from "./page-response.js";
import { ViewerStream } from "./viewer-stream.js";
import type { InspectAnswer, InspectRequest, LookRequest } from "./wire.js";

/** Viewers at the same time. */
const MOST_VIEWERS = 16;

export class Desk {
  readonly local: LocalProcess;
  readonly #init: LocalProcessInit;
  readonly #cluster: Cluster | null;
  readonly #streams = new Set<ViewerStream>();
  #isClosed = false;

  constructor(init: LocalProcessInit, cluster: Cluster | null) {
    this.local = new LocalProcess(init);
    this.#init = init;
    this.#cluster = cluster;
  }

  /** Answers the page's request with a Response, and accepts its stream. */
  async answer(request: ServerRequest): Promise<ConnectionReceiver | Response> {
    const { core, settings } = this.#init;
    const { isUpgrade, method, target } = request;
    const verdict = await authorize(settings, request);
    if (this.#isClosed) return refusal(404, "Expected an inspector that is open.");
    if (!("mayAct" in verdict)) return verdict;
    const isStream = target.split("?", 1)[0] === `${settings.path}/stream`;
    if (isStream !== isUpgrade) {
      return isStream
        ? refusal(426, "Expected a WebSocket upgrade.", { Upgrade: "websocket" })
        : refusal(404, "Expected the path of the inspector's stream.");
    }
    if (!isStream) {
      if (method === "GET" || method === "HEAD") return pageResponse(method);
      return refusal(405, "Expected the method GET or HEAD.", { Allow: "GET, HEAD" });
    }
    if (this.#streams.size >= MOST_VIEWERS)
      return refusal(503, `Expected at most ${MOST_VIEWERS} viewers.`, { "Retry-After": "5" });
    return {
      settings: settingsOf(core.settings.connection),
      onOpen: (connection) => this.#onOpen(connection, verdict),
    };
  }

  /** @throws InvalidArgumentError, EngineUnavailableError, ConnectionClosed, TooSlowError */
  async serve(request: InspectRequest, stream: ViewerStream): Promise<InspectAnswer> {
    const { id } = request;
    const node = request.process === this.local.id ? null : request.process;
    switch (request.type) {
      case "look":
        return this.#look(request, node, stream);
      case "explain": {
        const { ending } = request;
        const text =
          node === null ? this.local.explain(ending) : await this.#ask(node, { type: "explain", ending });
        return { type: "explanation", id, text: String(text) };
      }
      case "act": {
        const { viewer, key } = stream;
        const { action, connection } = request;
        if (!viewer.mayAct) throw new InvalidArgumentError(NO_ACTIONS);
        const text =
          node === null
            ? await this.local.act(action, connection, viewer, key)
            : await this.#ask(node, { type: "act", action, id: connection, viewer, key });
        return { type: "acted", id, text: String(text) };
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    this.local.close();
    for (const stream of this.#streams) stream.close(1001, "");
  }

  async #look(
    { id, query }: LookRequest,
    node: string | null,
    { key, viewer }: ViewerStream,
  ): Promise<InspectAnswer> {
    const look = node === null ? this.local.look(query, key) : this.#ask(node, { type: "look", query, key });
    const others = this.#cluster?.summaries() ?? [];
    // Another process answers in the same form as this one.
    const [{ window, watch }, peers] = await Promise.all([look as Look | Promise<Look>, others]);
    const processes = [await this.local.summary(), ...peers];
    const { who, mayAct } = viewer;
    const process = node ?? this.local.id;
    return { type: "snapshot", id, who, actions: mayAct, processes, process, window, watch };
  }

  async #ask(node: string, request: ProcessRequest): Promise<unknown> {
    if (this.#cluster !== null) return this.#cluster.request(node, request);
    throw new InvalidArgumentError("Expected `process` to be null, because this inspector has no `topics`.");
  }

  #onOpen(connection: Connection, viewer: Viewer): void {
    const stream = new ViewerStream(connection, viewer, this, this.#init.core.runtime.clock);
    if (this.#isClosed) stream.close(1001, ""); // Since the request was answered.
    this.#streams.add(stream);
    void stream.closed.then(() => {
      this.#streams.delete(stream);
      this.local.forget(stream.key);
    });
  }
}

/** A viewer sends short requests, and its connection is as reliable as any other. */
function settingsOf(settings: ConnectionSettings): ConnectionSettings {
  return {
    ...settings,
    pingInterval: 20_000,
    pingTimeout: 20_000,
    liveness: "pong",
    closeTimeout: 5_000,
    autoPong: true,
    maxMessageSize: 4_096,
    text: "string",
    compression: null,
    logger: null,
  };
}
