// One connection of a fault proxy.

import type { Socket } from "node:net";
import { reset } from "../reset.js";
import { checkCut, checkFaults } from "./check-faults.js";
import { type CutOptions, type Direction, FaultControls, type Faults } from "./faults.js";
import { Lane } from "./lane.js";

/** One connection through the proxy, with its own faults in addition to the proxy's. */
export class ProxyConnection extends FaultControls {
  /** Resolves once both of its sockets are closed. */
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #lanes: Readonly<Record<Direction, Lane>>;

  /** Takes over a socket to the client and one, possibly still connecting, to the server. */
  constructor(client: Socket, server: Socket, faults: Readonly<Record<Direction, Faults>>) {
    super();
    this.#client = client;
    this.#server = server;
    const sockets = [client, server];
    for (const socket of sockets) socket.setNoDelay(true);
    this.closed = Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve))),
    ).then(() => undefined);
    this.#lanes = {
      toServer: new Lane(client, server, faults.toServer),
      toClient: new Lane(server, client, faults.toClient),
    };
  }

  /** Bytes forwarded so far. */
  get forwarded(): Readonly<Record<Direction, number>> {
    return { toServer: this.#lanes.toServer.forwardedBytes, toClient: this.#lanes.toClient.forwardedBytes };
  }

  override cut(options: CutOptions): void {
    checkCut(options);
    const { kind, after } = options;
    const run = () => {
      this.#stop();
      for (const socket of [this.#client, this.#server]) {
        if (kind === "fin") socket.end();
        else reset(socket);
      }
    };
    if (after === undefined) run();
    else this.#lanes[after.direction].cutAfter(after.bytes, run);
  }

  override callOffCut(): void {
    for (const lane of Object.values(this.#lanes)) lane.callOffCut();
  }

  override set(faults: Partial<Faults>, direction?: Direction): void {
    checkFaults(faults, direction);
    if (direction !== "toClient") this.#lanes.toServer.set(faults);
    if (direction !== "toServer") this.#lanes.toClient.set(faults);
  }

  /** Closes both sockets at once; resolves once they are closed. Idempotent. */
  async close(): Promise<void> {
    this.#stop();
    this.#client.destroy();
    this.#server.destroy();
    await this.closed;
  }

  #stop(): void {
    for (const lane of Object.values(this.#lanes)) lane.stop();
  }
}
