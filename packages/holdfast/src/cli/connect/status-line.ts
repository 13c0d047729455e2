// The text of the status row above the prompt of `holdfast connect`.

import type { Connection } from "../../index.js";
import { milliseconds } from "../terminal/milliseconds.js";
import { sparkline } from "../terminal/sparkline.js";

/** How often it is updated, in milliseconds. */
export const STATUS_INTERVAL = 500;

/** How many round trips the sparkline shows. */
const SPARKLINE_WIDTH = 20;

export class StatusLine {
  readonly #connection: Connection;
  readonly #roundTrips: number[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.on("pong", ({ roundTrip }) => {
      if (roundTrip === null) return;
      this.#roundTrips.push(roundTrip);
      if (this.#roundTrips.length > SPARKLINE_WIDTH) this.#roundTrips.shift();
    });
  }

  /** The most important first: a narrow terminal cuts off the rest. */
  text(): string {
    const { state, latency, latencyStats, bufferedAmount } = this.#connection;
    const parts = [
      state,
      latency === null
        ? "no pong yet"
        : `${milliseconds(latency)} ms ${sparkline(this.#roundTrips, SPARKLINE_WIDTH)}`,
      latencyStats.lost > 0 ? `${latencyStats.lost} lost` : "",
      bufferedAmount > 0 ? `${bufferedAmount} bytes waiting to be sent` : "",
      this.#connection.subprotocol ?? "",
    ];
    return parts.filter((part) => part !== "").join(" · ");
  }
}
