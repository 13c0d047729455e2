// Finds the idle timeout of proxies and firewalls on the path. It holds several connections without keepalive in
// parallel, and pings each one once, at the end of its own idle time. This detects both kinds of timeout: those that end
// the connection, to the exact moment, and those that silently forget it, as firewalls do, between two idle times.

import { setTimeout as sleep } from "node:timers/promises";
import { connect, type Connection, type ConnectOptions } from "../../index.js";
import type { Finding } from "./finding.js";

/** Seconds. */
const IDLE_TIMES = [2, 5, 10, 20, 30, 45, 60, 75, 90, 120, 180, 240, 300, 600, 900, 1800, 3600];
const PONG_TIMEOUT = 5000;
/** The default `pingInterval`. */
const DEFAULT_INTERVAL = 20_000;

export type IdleOutcome =
  | { readonly kind: "alive"; readonly idle: number }
  | { readonly kind: "cut"; readonly idle: number; readonly message: string }
  | { readonly kind: "closed"; readonly idle: number; readonly message: string; readonly code: number }
  | { readonly kind: "forgotten"; readonly idle: number };

/** Tests idle times of up to `longest` milliseconds. If `signal` aborts, reports the results so far. */
export async function examineIdleness(
  url: string,
  options: ConnectOptions,
  longest: number,
  signal: AbortSignal,
): Promise<Finding> {
  const times = IDLE_TIMES.map((time) => time * 1000).filter((time) => time < longest);
  const outcomes = await Promise.all([...times, longest].map((time) => holdIdle(url, options, time, signal)));
  return idleFinding(outcomes.filter((outcome) => outcome !== null));
}

/** Null if the connection could not be opened. */
async function holdIdle(
  url: string,
  options: ConnectOptions,
  time: number,
  signal: AbortSignal,
): Promise<IdleOutcome | null> {
  let connection: Connection;
  try {
    connection = await connect(url, { ...options, pingInterval: null, closeTimeout: 1000, signal });
  } catch {
    // The server may limit connections; the others suffice.
    return null;
  }
  let lastTraffic = performance.now();
  const onTraffic = (): void => void (lastTraffic = performance.now());
  connection.on("ping", onTraffic);
  const ended = connection.forEach(onTraffic);
  const wake = AbortSignal.any([signal, connection.signal]);
  await sleep(time, undefined, { signal: wake }).catch(() => undefined);
  const idle = performance.now() - lastTraffic;
  if (connection.state !== "open") {
    const { message, received } = await ended;
    return received === null
      ? { kind: "cut", idle, message }
      : { kind: "closed", idle, message, code: received.code };
  }
  const isAnswered = await connection.ping(null, { timeout: PONG_TIMEOUT }).then(
    () => true,
    () => false,
  );
  if (isAnswered) await connection.close();
  else connection.terminate();
  return { kind: isAnswered ? "alive" : "forgotten", idle };
}

/** Summarises the outcomes. Times are in milliseconds. */
export function idleFinding(outcomes: readonly IdleOutcome[]): Finding {
  const times = (kind: IdleOutcome["kind"]): number[] =>
    outcomes.filter((outcome) => outcome.kind === kind).map(({ idle }) => idle);
  const survived = Math.max(0, ...times("alive"));
  const cut = Math.min(...times("cut"));
  const forgotten = Math.min(...times("forgotten"));
  const closed = Math.min(...times("closed"));
  const first = Math.min(cut, forgotten, closed);
  if (first === Infinity) {
    if (survived === 0) return { check: "idle", verdict: "warning", text: "no connection could be held" };
    return { check: "idle", verdict: "ok", text: `connections idle for ${seconds(survived)} stay open` };
  }
  if (first === closed) return closedFinding(outcomes.find(({ idle }) => idle === closed));
  const text =
    cut <= forgotten
      ? `idle connections are cut after ${seconds(cut)} (${messageOf(outcomes, cut)})`
      : `idle connections are silently forgotten after between ${seconds(survived)} and ${seconds(forgotten)}`;
  return { check: "idle", verdict: "warning", text, advice: adviceFor(cut <= forgotten ? cut : survived) };
}

/** A peer that sends a Close is alive, and has its reasons: proxies and firewalls end idle connections without one. */
function closedFinding(outcome: IdleOutcome | undefined): Finding {
  const { idle, message, code } = outcome as Extract<IdleOutcome, { readonly kind: "closed" }>; // The caller's choice.
  const isRestart = RESTART_CODES.includes(code);
  return {
    check: "idle",
    verdict: "warning",
    text: `the server closed the connections after ${seconds(idle)} (${message})`,
    advice: isRestart
      ? `It restarts or shuts down, which is no idle timeout: persistent connections reconnect. Run the check again; if it takes the same time again, set \`pingInterval\` to ${intervalFor(idle)} or less.`
      : "This is the server's own decision, for example because it expects messages or a login; see its log. Pings prevent it only if the server counts them.",
  };
}

/** Going away, service restart, try again later (RFC 6455 section 7.4.1, and IANA's registry). */
const RESTART_CODES = [1001, 1012, 1013];

function adviceFor(cutAfter: number): string {
  if (cutAfter > 2 * DEFAULT_INTERVAL)
    return `The default \`pingInterval\` of ${DEFAULT_INTERVAL} keeps them open.`;
  return `Set \`pingInterval\` to ${intervalFor(cutAfter)} or less, or raise the timeout of the proxy or server in between.`;
}

function intervalFor(cutAfter: number): number {
  return Math.max(100, Math.floor(cutAfter / 200) * 100);
}

function messageOf(outcomes: readonly IdleOutcome[], idle: number): string {
  const found = outcomes.find((outcome) => outcome.idle === idle);
  return found?.kind === "cut" ? found.message : "";
}

function seconds(time: number): string {
  return `${(time / 1000).toFixed(1)} s`;
}
