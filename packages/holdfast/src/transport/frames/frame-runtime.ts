// What all connections over bytes share, beside what all connections do: the encoders, the memory for outgoing frames,
// and the list of those that have something to flush at the end of the turn.

import { FrameEncoder } from "../../protocol/frame/frame-encoder.js";
import { MaskKeys } from "../../protocol/frame/mask-keys.js";
import type { DiagnosticsObserver } from "../../connection/diagnostics-observer.js";
import type { Platform } from "../../connection/platform.js";
import type { Clock, Random } from "../../connection/ports.js";
import { Runtime } from "../../connection/runtime.js";
import type { SharedMessage } from "../../connection/message-transport.js";
import { Arena } from "./arena.js";
import { WriteBatchPool } from "./write-batch.js";
import { SharedFrames } from "./shared-frames.js";
import { Slab } from "./slab.js";

/** Something that collected bytes during this turn of the event loop. */
export interface Flushable {
  flush(): void;
}

export class FrameRuntime extends Runtime {
  readonly slab = new Slab();
  readonly batches = new WriteBatchPool(this.slab);
  /** For frames that many connections send. */
  readonly arena: Arena;
  readonly serverEncoder = new FrameEncoder(null);
  readonly clientEncoder: FrameEncoder;
  #unflushed: Flushable[] = [];

  constructor(clock: Clock, random: Random, monitor: DiagnosticsObserver | null = null, platform?: Platform) {
    super(clock, random, monitor, platform);
    this.arena = new Arena(clock);
    this.clientEncoder = new FrameEncoder(new MaskKeys((target) => random.fill(target)));
  }

  override share(data: string | Uint8Array, mayEncode: boolean, isWord = false): SharedMessage {
    return new SharedFrames(data, mayEncode, this.arena, isWord);
  }

  /** Calls `flush` at the end of this turn, after the promises that are ready by then: one write for them all. */
  flushAtTurnEnd(flushable: Flushable): void {
    if (this.#unflushed.push(flushable) === 1) this.clock.atTurnEnd(this.#flushAll);
  }

  readonly #flushAll = (): void => {
    const flushables = this.#unflushed;
    this.#unflushed = [];
    for (const flushable of flushables) {
      try {
        flushable.flush();
      } catch (error) {
        // The others are flushed all the same, and the failure stays visible.
        this.clock.atTurnEnd(() => {
          throw error;
        });
      }
    }
  };
}
