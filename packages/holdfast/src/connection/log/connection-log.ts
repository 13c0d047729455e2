// The log of a connection. The first character of a debug line names its subject: `>` sent, `<` received, `=` state,
// `%` keepalive, `-` timeout, `!` error. docs/logging.md explains the lines.

import type { ObservedFrame } from "../../shared/observed-frame.js";
import { showURL } from "../../shared/show-url.js";
import type { Role } from "../../shared/role.js";
import type { CloseCause, CloseInfo } from "../close-info.js";
import type { Connection } from "../connection.js";
import type { ConnectionEvents } from "../listeners.js";
import type { Logger } from "../ports.js";
import { FrameDescriber } from "./describe-frame.js";
import { requestLines, responseLines } from "./handshake-lines.js";

export class ConnectionLog {
  readonly #logger: Logger;
  readonly #connection: Connection;
  /** Part of every line, to distinguish connections. */
  readonly #who: { readonly id: string; readonly side: Role };
  /** Null if nobody reads debug lines; then no frame is inspected. */
  readonly #describers: { readonly sent: FrameDescriber; readonly received: FrameDescriber } | null;

  #hasWarnedOfPong = false;

  constructor(logger: Logger, connection: Connection, side: Role) {
    this.#logger = logger;
    this.#connection = connection;
    this.#who = Object.freeze({ id: connection.id, side });
    const isVerbose = logger.isLevelEnabled?.("debug") ?? true;
    this.#describers = isVerbose ? { sent: new FrameDescriber(), received: new FrameDescriber() } : null;
  }

  get wantsFrames(): boolean {
    return this.#describers !== null;
  }

  onOpen(): void {
    const { url, remoteAddress, subprotocol, extensions, request, response } = this.#connection;
    if (this.#describers !== null) {
      const [asked, answered] = this.#who.side === "client" ? [">", "<"] : ["<", ">"];
      for (const line of requestLines(request)) this.#debug(`${asked} ${line}`);
      for (const line of responseLines(response)) this.#debug(`${answered} ${line}`);
    }
    const details = { url: showURL(url), remoteAddress, subprotocol, extensions };
    this.#logger.info("connection open", { ...this.#who, ...details });
  }

  onFrameSent(frame: ObservedFrame): void {
    if (this.#describers !== null) this.#debug(`> ${this.#describers.sent.describe(frame)}`);
  }

  onFrameReceived(frame: ObservedFrame): void {
    if (this.#describers !== null) this.#debug(`< ${this.#describers.received.describe(frame)}`);
  }

  onPong(roundTrip: number | null): void {
    this.#debug(
      roundTrip === null
        ? "% pong that answers no ping in flight"
        : `% pong after ${milliseconds(roundTrip)}`,
    );
  }

  /** Logged once: further unmatched pongs of the same peer say nothing new. */
  onUnmatchedPong(): void {
    if (this.#hasWarnedOfPong) return;
    this.#hasWarnedOfPong = true;
    const text =
      "a Pong matched no Ping: it counts as life, and latency stays unknown (RFC 6455 section 5.5.3)";
    this.#logger.warn(text, this.#who);
  }

  /** An event of `Connection.on()`. */
  onEvent<Name extends LoggedEvent>(name: Name, event: ConnectionEvents[Name]): void {
    if (this.#describers !== null) this.#debug(LINES[name](event));
  }

  /** A warning, because the application loses messages. */
  onDropping(): void {
    this.#logger.warn(
      "messages are dropped because nobody reads them: call discard() if that is intended",
      this.#who,
    );
  }

  /** A cause began the closing, or interrupted it. */
  onEnding(cause: CloseCause, error: Error | null): void {
    if (TIMEOUTS.has(cause)) this.#debug(`- ${cause}`);
    else if (error !== null) this.#debug(`! ${cause}: ${error.message}`, { error });
    else this.#debug(`= closing: ${cause}`);
  }

  /** A warning, unless both sides agreed on the end or the application requested it. */
  onClose(info: CloseInfo): void {
    const { code, reason, cause, initiator, message, error, evidence } = info;
    const { openedAt, endedAt, latency, messagesReceived, messagesSent, bytesReceived, bytesSent } = evidence;
    const { session } = this.#connection;
    const details = {
      ...this.#who,
      ...(session === null ? {} : { session: session.id }),
      code,
      cause,
      initiator,
      duration: toTenths(endedAt - (openedAt ?? endedAt)),
      message,
      ...(reason === "" ? {} : { reason }),
      latency: latency.smoothed === null ? null : toTenths(latency.smoothed),
      messagesReceived,
      messagesSent,
      bytesReceived,
      bytesSent,
      ...(error === null ? {} : { error }),
    };
    if (info.ok || cause === "aborted") this.#logger.info("connection closed", details);
    else this.#logger.warn("connection closed", details);
  }

  #debug(line: string, details: object = NOTHING): void {
    if (this.#describers === null) return;
    this.#logger.debug(line, details === NOTHING ? this.#who : { ...this.#who, ...details });
  }
}

const NOTHING = {};

/** The events of a connection that have a line of their own. */
export type LoggedEvent = "overdue" | "paused" | "resumed" | "suspect" | "suspended";

const LINES: { readonly [Name in LoggedEvent]: (event: ConnectionEvents[Name]) => string } = {
  overdue: ({ elapsed, expected }) =>
    `% pong overdue: none after ${milliseconds(elapsed)}, where ${milliseconds(expected)} is plenty`,
  paused: ({ messages, bytes }) => `= reading pauses: ${messages} messages of ${bytes} bytes wait to be read`,
  resumed: ({ duration }) => `= reading resumes after ${milliseconds(duration)}`,
  suspect: ({ silence, expected }) =>
    `% peer suspect: silent for ${milliseconds(silence)}, where ${milliseconds(expected)} is plenty`,
  suspended: ({ gap }) =>
    `% this process did not run for ${milliseconds(gap)}; this does not count against the peer`,
};

const TIMEOUTS: ReadonlySet<CloseCause> = new Set<CloseCause>(["heartbeat-timeout", "close-timeout"]);

function milliseconds(duration: number): string {
  return `${toTenths(duration)} ms`;
}

/** More digits of a duration are noise. */
function toTenths(duration: number): number {
  return Math.round(duration * 10) / 10;
}
