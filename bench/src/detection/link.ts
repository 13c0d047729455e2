// A simulated TCP connection: when each message arrives at the other end. The kernel retransmits a lost segment about 1, 3,
// 7, 15 … times (RTT + 200 ms) after the first transmission, and delivers in order. No real time passes.

import type { SeededRandom } from "holdfast-testkit";

/** Milliseconds that the kernel adds to the round trip for its first retransmission (TCP_RTO_MIN of Linux). */
const RETRANSMISSION_MARGIN = 200;

/** The network between the two ends. Times are milliseconds from the beginning of the connection. */
export interface Weather {
  readonly name: string;
  /** The round trip when nothing disturbs it. */
  readonly roundTrip: number;
  /** One direction of a new connection. */
  start(random: SeededRandom): WeatherOfDirection;
}

export interface WeatherOfDirection {
  /** Whether a segment that is sent at this time is lost. */
  isLost(at: number): boolean;
  /** The time that the segment takes in addition to half of the round trip. */
  delay(at: number): number;
}

export class SimulatedLink {
  readonly #roundTrip: number;
  readonly #there: Direction;
  readonly #back: Direction;

  constructor(weather: Weather, random: SeededRandom, dropsAt = Infinity) {
    this.#roundTrip = weather.roundTrip;
    this.#there = new Direction(weather, random, dropsAt);
    this.#back = new Direction(weather, random, dropsAt);
  }

  /** When the pong arrives of a ping that is sent at this time; Infinity for never. Call it in the order of the times. */
  pongArrival(sentAt: number): number {
    return this.#back.arrival(this.#there.arrival(sentAt, this.#roundTrip), this.#roundTrip);
  }

  /** When a message of the peer arrives that is sent at this time. */
  arrivalFromPeer(sentAt: number): number {
    return this.#back.arrival(sentAt, this.#roundTrip);
  }
}

class Direction {
  readonly #weather: WeatherOfDirection;
  readonly #dropsAt: number;
  #newest = -Infinity;

  constructor(weather: Weather, random: SeededRandom, dropsAt: number) {
    this.#weather = weather.start(random);
    this.#dropsAt = dropsAt;
  }

  arrival(sentAt: number, roundTrip: number): number {
    if (sentAt === Infinity) return Infinity;
    const timeout = roundTrip + RETRANSMISSION_MARGIN;
    for (let tries = 0; ; tries++) {
      const at = sentAt + (2 ** tries - 1) * timeout;
      if (at >= this.#dropsAt) return (this.#newest = Infinity);
      if (this.#weather.isLost(at)) continue;
      const arrival = at + roundTrip / 2 + this.#weather.delay(at);
      return (this.#newest = Math.max(this.#newest, arrival)); // In order.
    }
  }
}
