import type { PeerRole, Peers, PeerSettings } from "./peer.js";
import { PeerProcess, type PeerProcessOptions } from "./peer-process.js";

/** Processes that the tests of a file share, because each takes a moment to start. Created on demand. */
export class PeerPool implements Peers, AsyncDisposable {
  readonly #command: PeerProcessOptions["command"];
  readonly #peers = new Map<string, Promise<PeerProcess>>();

  constructor(command: PeerProcessOptions["command"]) {
    this.#command = command;
  }

  get(role: PeerRole, settings: PeerSettings = {}): Promise<PeerProcess> {
    const key = JSON.stringify([role, settings]);
    const peer = this.#peers.get(key) ?? PeerProcess.start({ command: this.#command }, role, settings);
    this.#peers.set(key, peer);
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const started of await Promise.allSettled(this.#peers.values())) {
      if (started.status === "fulfilled") await started.value[Symbol.asyncDispose]();
    }
  }
}
