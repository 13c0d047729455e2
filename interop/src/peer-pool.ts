import { type PeerRole, PythonPeer } from "./python-peer.js";

/** Processes that the tests of a file share: Python takes a third of a second to start. Made when first asked for. */
export class PeerPool implements AsyncDisposable {
  readonly #program: string;
  readonly #peers = new Map<string, Promise<PythonPeer>>();

  constructor(program: string) {
    this.#program = program;
  }

  get(role: PeerRole, settings: object = {}): Promise<PythonPeer> {
    const key = JSON.stringify([role, settings]);
    const peer = this.#peers.get(key) ?? PythonPeer.start(this.#program, role, settings);
    this.#peers.set(key, peer);
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const started of await Promise.allSettled(this.#peers.values())) {
      if (started.status === "fulfilled") await started.value[Symbol.asyncDispose]();
    }
  }
}
