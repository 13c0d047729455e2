// The checks on an open connection: what was negotiated, its latency, and whether it closes cleanly.

import {
  Client,
  explain,
  HandshakeError,
  type CloseInfo,
  type Connection,
  type ConnectOptions,
} from "../../index.js";
import { milliseconds } from "../terminal/milliseconds.js";
import { roundTripsOf } from "../connection/round-trips.js";
import type { Finding } from "./finding.js";

const PINGS = 10;
const PONG_TIMEOUT = 5000;

/** Stops after the first failed check. */
export async function* examineConnection(
  url: string,
  options: ConnectOptions,
  advise: (error: unknown) => Promise<string | null>,
): AsyncGenerator<Finding> {
  const attempt = await openTimed(url, options);
  if ("info" in attempt) {
    const { error } = attempt.info;
    const advice = await advise(error);
    // A connection that never opened has no Close frames to report.
    const text = explain(error instanceof HandshakeError ? error : attempt.info);
    const finding = { check: "upgrade", verdict: "failed", text } as const;
    yield advice === null ? finding : { ...finding, advice };
    return;
  }
  const { connection, duration } = attempt;
  yield { check: "upgrade", verdict: "ok", text: negotiated(connection), duration };
  const latency = await measureLatency(connection);
  yield latency;
  if (connection.state !== "open") return;
  const began = performance.now();
  const info = await connection.close();
  const closing = { check: "closing" as const, duration: performance.now() - began };
  if (info.clean) yield { ...closing, verdict: "ok", text: info.message };
  else if (latency.verdict !== "failed") yield { ...closing, verdict: "warning", text: explain(info) };
}

type TimedAttempt =
  { readonly connection: Connection; readonly duration: number } | { readonly info: CloseInfo };

/** `duration` is that of the upgrade alone, in milliseconds. */
async function openTimed(url: string, options: ConnectOptions): Promise<TimedAttempt> {
  const client = new Client(url, { ...options, pingInterval: null, closeTimeout: 3000 });
  let connectedAt = 0;
  return new Promise((resolve, reject) => {
    const read = async (): Promise<void> => {
      for await (const event of client) {
        if (event.type === "connected") connectedAt = event.at;
        if (event.type === "ready") {
          resolve({ connection: event.connection, duration: event.at - connectedAt });
        }
        if (event.type === "disconnected") resolve({ info: event.info });
      }
    };
    read().catch(reject);
  });
}

function negotiated({ response, subprotocol, extensions }: Connection): string {
  const server = response.headers.get("Server");
  return [
    `101${server === null ? "" : ` from ${server}`}`,
    `subprotocol ${subprotocol ?? "none"}`,
    `extensions ${extensions.length === 0 ? "none" : extensions.join(", ")}`,
  ].join("; ");
}

async function measureLatency(connection: Connection): Promise<Finding> {
  const samples: number[] = [];
  for (let count = 0; count < PINGS; count++) {
    const roundTrip = await connection.ping(null, { timeout: PONG_TIMEOUT }).catch(() => null);
    if (roundTrip === null) break;
    samples.push(roundTrip);
  }
  if (samples.length === PINGS) {
    const { min, avg, max, jitter } = roundTripsOf(samples);
    const times = [min, avg, max, jitter].map(milliseconds).join("/");
    return { check: "latency", verdict: "ok", text: `min/avg/max/jitter ${times} ms of ${PINGS} pings` };
  }
  const answered = `${samples.length} pings answered, then`;
  if (connection.state !== "open") {
    const info = await connection.closed;
    const text = `${answered} the connection ended: ${explain(info)}`;
    return { check: "latency", verdict: info.ok ? "warning" : "failed", text };
  }
  const advice =
    "Every endpoint has to answer pings (RFC 6455 section 5.5.2): the server hangs, does not read from the socket, or ignores pings.";
  const text = `${answered} no pong arrived within ${PONG_TIMEOUT / 1000} s`;
  return { check: "latency", verdict: "failed", text, advice };
}
