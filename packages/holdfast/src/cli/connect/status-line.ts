// What the row above the prompt of `holdfast connect` says of the connection.

import type { Connection } from "../../index.js";
import { milliseconds } from "../terminal/milliseconds.js";
import { sparkline } from "../terminal/sparkline.js";

/** How often it is made anew, in milliseconds. */
export const STATUS_EVERY = 500;

/** How many round trips are drawn. */
const DRAWN = 20;

export class StatusLine {
  readonly #connection: Connection;
  readonly #roundTrips: number[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.on("pong", ({ roundTrip }) => {
      if (roundTrip === null) return;
      this.#roundTrips.push(roundTrip);
      if (this.#roundTrips.length > DRAWN) this.#roundTrips.shift();
    });
  }

  /** The most important first: a narrow terminal cuts the rest off. */
  text(): string {
    const { state, latency, latencyStats, bufferedAmount } = this.#connection;
    const parts = [
      state,
      latency === null ? "no pong yet" : `${milliseconds(latency)} ms ${sparkline(this.#roundTrips, DRAWN)}`,
      latencyStats.lost > 0 ? `${latencyStats.lost} lost` : "",
      bufferedAmount > 0 ? `${bufferedAmount} bytes wait to be sent` : "",
      this.#connection.subprotocol ?? "",
    ];
    return parts.filter((part) => part !== "").join(" · ");
  }
}
