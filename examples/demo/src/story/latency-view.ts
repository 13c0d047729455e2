// A live line that shows the latency of a connection, ping by ping.

import type { Connection } from "holdfast";
import { sparkline } from "../terminal/sparkline.js";
import { duration } from "../terminal/text.js";

/** The number of bars that fit beside the figures. */
const NEWEST = 24;

export class LatencyView {
  /** Every round trip so far, in milliseconds. */
  readonly samples: number[] = [];
  /** Stops watching. */
  readonly stop: () => void;

  constructor(connection: Connection) {
    this.stop = connection.on("pong", ({ roundTrip }) => {
      if (roundTrip !== null) this.samples.push(roundTrip);
    });
  }

  get count(): number {
    return this.samples.length;
  }

  get last(): number {
    return this.samples.at(-1) ?? 0;
  }

  /** The latency as text: `▃▃▃▃▅▇█  1.3 s`. */
  get bars(): string {
    return sparkline(this.samples.slice(-NEWEST));
  }

  readonly render = (): string => `            latency  ${this.bars}  ${duration(this.last)}`;
}
