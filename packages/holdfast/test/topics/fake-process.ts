// A process with topics on a fake clock, and what it sends to its peers.

import { OPCODE } from "holdfast-testkit";
import { SILENT_PLATFORM } from "../../build/connection/platform.js";
import type { Logger } from "../../build/connection/ports.js";
import { MemoryEngine } from "../../build/topics/memory/memory-engine.js";
import type { TopicsOptions } from "../../build/topics/options.js";
import { openTopics, type Topics } from "../../build/topics/topics.js";
import { overLinkProtocol } from "../../build/transport/link/link-protocol.js";
import { Harness, sharedRuntime, type Setup } from "../connection/harness.js";

export const MARK = "\u0016";

export class Process {
  /** Errors of the application's own code that were logged. */
  readonly faults: string[] = [];
  readonly #logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message) => void this.faults.push(message),
    isLevelEnabled: () => false,
  };
  readonly shared = sharedRuntime({ ...SILENT_PLATFORM, faultLogger: this.#logger });
  readonly engine: MemoryEngine = new MemoryEngine(this.shared.runtime);
  readonly topics: Topics;
  readonly gaps: string[] = [];

  constructor(options: TopicsOptions = {}) {
    this.topics = openTopics(this.shared.runtime, { engine: this.engine, ...options });
    this.topics.on("gap", ({ topic, after, position }) =>
      this.gaps.push(`${topic} ${after?.offset ?? "-"} ${position?.offset ?? "-"}`),
    );
  }

  peer(setup: Setup & { readonly link?: boolean } = {}): Harness {
    const { link = false, ...rest } = setup;
    const layer = link ? ({ layer: (below: never) => overLinkProtocol(below, "frames") } as Setup) : {};
    return new Harness({ role: "server", shared: this.shared, logger: this.#logger, ...layer, ...rest });
  }

  async settle(): Promise<void> {
    for (let round = 0; round < 5; round++) {
      this.shared.clock.turn();
      await this.shared.clock.settle();
    }
  }

  async publish(
    topic: string,
    ...messages: readonly (string | Uint8Array)[]
  ): Promise<readonly (number | null)[]> {
    const publishing = messages.map((data) => this.topics.publish(topic, data));
    await this.settle();
    return (await Promise.all(publishing)).map(({ offset }) => offset);
  }
}

/** The messages that were sent: texts with the mark as ^, bytes in brackets; epochs as E. */
export function sent(h: Harness): readonly string[] {
  h.clock.turn();
  return h
    .sentFrames()
    .map(({ opcode, payload }) =>
      opcode === OPCODE.text
        ? Buffer.from(payload).toString().replace(MARK, "^")
        : opcode === OPCODE.close
          ? `close ${Buffer.from(payload).readUInt16BE()}`
          : `[${payload.join()}]`,
    )
    .map((text) => text.replace(/(?<=^\^(at|gap) \S+ )[0-9a-f]+-\w+/, "E"));
}
