// Opens the connections of a load test, a limited number at a time.

import { connect, HandshakeError, type Connection, type ConnectOptions } from "../../index.js";
import type { Tally } from "./tally.js";

/** More attempts at once would measure the server's accept queue. */
const MAX_CONCURRENT = 50;

/** Returns the opened connections; failures go into the tally. If `signal` aborts, returns those opened so far. */
export async function dial(
  url: string,
  options: ConnectOptions,
  count: number,
  tally: Tally,
  signal: AbortSignal,
): Promise<Connection[]> {
  const opened: Connection[] = [];
  let started = 0;
  const worker = async (): Promise<void> => {
    while (started < count && !signal.aborted) {
      started++;
      const began = performance.now();
      try {
        opened.push(await connect(url, { ...options, signal }));
        tally.connectTimes.record(performance.now() - began);
      } catch (error) {
        if (error === signal.reason) return;
        if (!(error instanceof HandshakeError)) throw error;
        tally.onProblem(error.failure, error.message);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_CONCURRENT, count) }, worker));
  return opened;
}
