// The part of the inspector that is there while nobody looks.

import { nodeModule } from "../../protocol/node-module.js";
import type { CloseInfo } from "../../connection/close-info.js";
import type { Connection } from "../../connection/connection.js";
import type { ConnectionReceiver, OwnRequests } from "../upgrade/own-requests.js";
import type { ServerRequest } from "../upgrade/server-request.js";
import type { ServerCore } from "../server-core.js";
import { Cluster } from "./cluster.js";
import type { Desk } from "./desk.js";
import { History } from "./history.js";
import type { LocalProcessInit } from "./local-process.js";
import type { InspectSettings } from "./options.js";

export class Inspection implements OwnRequests {
  /** Called once, when the inspector closes. */
  onClose: (() => void) | null = null;
  readonly #init: LocalProcessInit;
  readonly #cluster: Cluster | null;
  #loading: Promise<Desk> | null = null;
  #desk: Desk | null = null;
  #isClosed = false;

  /** @throws InvalidArgumentError */
  constructor(core: ServerCore, settings: InspectSettings) {
    const { runtime } = core;
    const engine = settings.topics?.engine ?? null;
    const name = `${hostname()}:${process.pid}`;
    const id = engine?.node ?? runtime.nextId();
    this.#init = { id, name, since: runtime.clock.now(), core, settings, history: new History() };
    const { faultLogger: logger } = core.settings.connection;
    const local = async (): Promise<Desk["local"]> => (await this.#load()).local;
    this.#cluster =
      engine === null ? null : new Cluster({ engine, name, local, clock: runtime.clock, logger });
  }

  matches(target: string): boolean {
    const [path = ""] = target.split("?", 1);
    const { path: own } = this.#init.settings;
    return path === own || path === `${own}/` || path === `${own}/stream`;
  }

  async answer(request: ServerRequest): Promise<ConnectionReceiver | Response> {
    const desk = await this.#load();
    return desk.answer(request);
  }

  onOpened(connection: Connection): void {
    this.#init.history.onOpened(connection);
  }

  onEnded(connection: Connection, info: CloseInfo): void {
    this.#init.history.onEnded(connection, info);
  }

  /** Ends all streams, and the presence in the cluster. */
  close(): void {
    this.#isClosed = true;
    this.#init.core.setOwnRequests(null);
    this.onClose?.();
    this.#cluster?.close();
    this.#desk?.close();
  }

  #load(): Promise<Desk> {
    return (this.#loading ??= import("./desk.js").then(({ Desk: Loaded }) => {
      const desk = new Loaded(this.#init, this.#cluster);
      if (this.#isClosed) desk.close();
      return (this.#desk = desk);
    }));
  }
}

/** Deno refuses it without the permission `--allow-sys`. */
function hostname(): string {
  try {
    return nodeModule("node:os").hostname();
  } catch {
    return "host";
  }
}
