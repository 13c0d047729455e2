// Finds the idle timeout of proxies and firewalls on the path. It holds several connections without keepalive in
// parallel, and pings each one once, at the end of its own idle time. This detects both kinds of timeout: those that end
// the connection, to the exact moment, and those that silently forget it, as firewalls do, between two idle times.

import { setTimeout as sleep } from "node:timers/promises";
import { connect, HoldfastError, type Connection, type ConnectOptions } from "../../index.js";
import type { Finding } from "./finding.js";

/** Seconds. */
const IDLE_TIMES = [2, 5, 10, 20, 30, 45, 60, 75, 90, 120, 180, 240, 300, 600, 900, 1800, 3600];
const PONG_TIMEOUT = 5000;
/** The default `pingInterval`. */
const DEFAULT_INTERVAL = 20_000;

export type IdleOutcome =
  /** `idle` is the longest time without anything received, of the time for which the connection was `held`. */
  | { readonly kind: "alive"; readonly idle: number; readonly held: number }
  | { readonly kind: "cut"; readonly idle: number; readonly message: string }
  /** Not for being idle: with a Close, or with `code` null soon after a message or a ping. */
  | { readonly kind: "ended"; readonly held: number; readonly message: string; readonly code: number | null }
  | { readonly kind: "forgotten"; readonly idle: number }
  | { readonly kind: "refused"; readonly message: string };

type Outcome<Kind> = Extract<IdleOutcome, { readonly kind: Kind }>;

/** Tests idle times of up to `longest` milliseconds. If `signal` aborts, reports the results so far. */
export async function examineIdleness(
  url: string,
  options: ConnectOptions,
  longest: number,
  signal: AbortSignal,
): Promise<Finding> {
  const times = IDLE_TIMES.map((time) => time * 1000).filter((time) => time < longest);
  // The longest first: a server that limits connections refuses the last ones.
  const all = [longest, ...times.reverse()];
  const outcomes = await Promise.all(all.map((time) => holdIdle(url, options, time, signal)));
  return idleFinding(outcomes.filter((outcome) => outcome !== null));
}

/** Null if `signal` aborted before the connection was open. */
async function holdIdle(
  url: string,
  options: ConnectOptions,
  time: number,
  signal: AbortSignal,
): Promise<IdleOutcome | null> {
  let connection: Connection;
  try {
    connection = await connect(url, { ...options, pingInterval: null, closeTimeout: 1000, signal });
  } catch (error) {
    return error instanceof HoldfastError ? { kind: "refused", message: error.message } : null;
  }
  const openedAt = performance.now();
  let lastTraffic = openedAt;
  let silence = 0;
  const onTraffic = (): void => {
    silence = Math.max(silence, performance.now() - lastTraffic);
    lastTraffic = performance.now();
  };
  connection.on("ping", onTraffic);
  const ended = connection.forEach(onTraffic);
  const wake = AbortSignal.any([signal, connection.signal]);
  await sleep(time, undefined, { signal: wake }).catch(() => undefined);
  const idle = performance.now() - lastTraffic;
  const held = performance.now() - openedAt;
  if (connection.state !== "open") {
    const { message, received } = await ended;
    if (received === null && idle > silence) return { kind: "cut", idle, message };
    return { kind: "ended", held, message, code: received?.code ?? null };
  }
  const isAnswered = await connection.ping(null, { timeout: PONG_TIMEOUT }).then(
    () => true,
    () => false,
  );
  if (isAnswered) await connection.close();
  else connection.terminate();
  return isAnswered
    ? { kind: "alive", idle: Math.max(silence, idle), held }
    : { kind: "forgotten", idle: Math.max(silence, idle) };
}

/** Summarises the outcomes. Times are in milliseconds. */
export function idleFinding(outcomes: readonly IdleOutcome[]): Finding {
  const finding = findingOf(outcomes);
  const refused = ofKind(outcomes, "refused");
  if (refused.length === 0) return finding;
  const text = `${finding.text}; ${refused.length} of the ${outcomes.length} connections of this test did not open: ${refused[0].message}`;
  return { ...finding, verdict: "warning", text };
}

function findingOf(outcomes: readonly IdleOutcome[]): Finding {
  const alive = ofKind(outcomes, "alive");
  const cut = ofKind(outcomes, "cut")
    .sort((one, other) => one.idle - other.idle)
    .at(0);
  const ended = ofKind(outcomes, "ended")
    .sort((one, other) => one.held - other.held)
    .at(0);
  const cutAfter = cut?.idle ?? Infinity;
  const forgotten = Math.min(...ofKind(outcomes, "forgotten").map(({ idle }) => idle));
  if (ended !== undefined && ended.held <= Math.min(cutAfter, forgotten)) return endFinding(ended);
  const survived = Math.max(0, ...alive.map(({ idle }) => idle));
  if (cut !== undefined && cutAfter <= forgotten) {
    const text = `idle connections are cut after ${seconds(cutAfter)} (${cut.message})`;
    return { check: "idle", verdict: "warning", text, advice: adviceFor(cutAfter) };
  }
  if (forgotten !== Infinity) {
    const text = `idle connections are silently forgotten after between ${seconds(survived)} and ${seconds(forgotten)}`;
    return { check: "idle", verdict: "warning", text, advice: adviceFor(survived) };
  }
  if (survived === 0) return { check: "idle", verdict: "warning", text: "no connection could be held" };
  const held = Math.max(...alive.map((outcome) => outcome.held));
  const text =
    held > 1.5 * survived
      ? `connections stay open for ${seconds(held)}; the server sends something at least every ${seconds(Math.max(100, survived))}, so they are never idle for longer`
      : `connections idle for ${seconds(survived)} stay open`;
  return { check: "idle", verdict: "ok", text };
}

function ofKind<Kind extends IdleOutcome["kind"]>(
  outcomes: readonly IdleOutcome[],
  kind: Kind,
): Outcome<Kind>[] {
  return outcomes.filter((outcome): outcome is Outcome<Kind> => outcome.kind === kind);
}

/** A peer that sends a Close is alive, and has its reasons: proxies and firewalls end idle connections without one. */
function endFinding({ held, message, code }: Outcome<"ended">): Finding {
  const how = code === null ? "connections that were not idle were cut" : "the server closed the connections";
  const text = `${how} after ${seconds(held)} (${message})`;
  return { check: "idle", verdict: "warning", text, advice: adviceForEnd(code, held) };
}

function adviceForEnd(code: number | null, held: number): string {
  if (code === null) return "This is no idle timeout: see the logs of the server and of proxies in between.";
  if (RESTART_CODES.includes(code))
    return `It restarts or shuts down, which is no idle timeout: persistent connections reconnect. Run the check again; if it takes the same time again, set \`pingInterval\` to ${intervalFor(held)} or less.`;
  return "This is the server's own decision, for example because it expects messages or a login; see its log. Pings prevent it only if the server counts them.";
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

function seconds(time: number): string {
  return `${(time / 1000).toFixed(1)} s`;
}
