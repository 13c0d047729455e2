// Latency statistics across the connections of a persistent connection.

import { ignore } from "../../shared/deferred.js";
import type { Connection } from "../../connection/connection.js";
import { LatencyStatistics, type LatencyStats } from "../../heartbeat/latency-statistics.js";

export class OverallLatency {
  readonly #statistics = new LatencyStatistics();
  #connection: Connection | null = null;
  #unsubscribe = ignore;

  /** Includes this connection's measurements from now on. */
  watch(connection: Connection): void {
    this.#connection = connection;
    this.#unsubscribe = connection.on("pong", ({ roundTrip }) => {
      if (roundTrip !== null) this.#statistics.add(roundTrip);
    });
  }

  /** The connection has ended: keeps its counts. */
  unwatch(): void {
    const { sent, answered, lost } = this.snapshot();
    Object.assign(this.#statistics, { sent, answered, lost });
    this.#unsubscribe();
    this.#connection = null;
  }

  snapshot(): LatencyStats {
    const { sent, answered, lost, ...times } = this.#statistics.snapshot();
    const current = this.#connection?.latencyStats;
    return {
      ...times,
      sent: sent + (current?.sent ?? 0),
      answered: answered + (current?.answered ?? 0),
      lost: lost + (current?.lost ?? 0),
    };
  }
}
