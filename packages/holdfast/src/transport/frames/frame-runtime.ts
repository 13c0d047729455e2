// The objects that all connections over byte streams share, in addition to those of `Runtime`: the encoders, the memory
// for outgoing frames, and the list of connections with bytes to flush at the end of the turn.

import { FrameEncoder } from "../../protocol/frame/frame-encoder.js";
import { MaskKeys } from "../../protocol/frame/mask-keys.js";
import type { DiagnosticsObserver } from "../../connection/diagnostics-observer.js";
import type { Platform } from "../../connection/platform.js";
import type { Clock, Random } from "../../connection/ports.js";
import { Runtime } from "../../connection/runtime.js";
import { STREAMING } from "../../connection/reading/streaming.js";
import type { SharedMessage } from "../../connection/message-transport.js";
import { Arena } from "./arena.js";
import { SharedFrames } from "./shared-frames.js";
import { TurnBudget } from "./turn-budget.js";
import { WriteBatches } from "./write-batch.js";

export class FrameRuntime extends Runtime {
  readonly batches: WriteBatches;
  /** Memory for frames that many connections send. */
  readonly arena: Arena;
  readonly serverEncoder = new FrameEncoder(null);
  readonly clientEncoder: FrameEncoder;
  readonly #turnBudget: TurnBudget;

  constructor(clock: Clock, random: Random, monitor: DiagnosticsObserver | null = null, platform?: Platform) {
    super(clock, random, monitor, platform, STREAMING);
    this.batches = new WriteBatches(clock);
    this.#turnBudget = new TurnBudget(clock);
    this.arena = new Arena(clock);
    this.clientEncoder = new FrameEncoder(new MaskKeys((target) => random.fill(target)));
  }

  override spend(size: number): Promise<void> | null {
    return this.#turnBudget.spend(size);
  }

  override share(data: string | Uint8Array, mayEncode: boolean, isWord = false): SharedMessage {
    return new SharedFrames(data, mayEncode, this.arena, isWord);
  }
}
