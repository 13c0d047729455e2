// Options of a connection, checked once when they are passed.

import type { HeartbeatSettings, Liveness } from "../heartbeat/signals.js";
import { InvalidArgumentError } from "../shared/errors.js";
import type { TextForm } from "../shared/text-bytes.js";
import type { DeflateSettings } from "../protocol/deflate/negotiation.js";
import { checkDetection, type DetectionOptions } from "./keepalive/detection-options.js";
import type { CompressionOptions } from "../protocol/deflate/compression-options.js";
import type { ConnectionLog } from "./log/connection-log.js";
import { checkLogger } from "./log/adapted-logger.js";
import { SILENT_PLATFORM, type FaultLogger, type Platform } from "./platform.js";
import type { OptionNames } from "../shared/option-names.js";
import { checkBoolean, checkChoice, checkDuration, checkSize, describe } from "../shared/option-checks.js";
import { checkQueue } from "../shared/queue-limits.js";
import type { Logger } from "./ports.js";
import type { InboxLimits } from "./reading/unread-queue.js";

/** Options that clients and servers share. Durations are milliseconds, sizes are bytes; null disables. */
export interface ConnectionOptions {
  /** Time between two keepalive pings; null: no keepalive, no heartbeat, no latency. @default 20000 */
  readonly pingInterval?: number | null | undefined;
  /**
   * Time that a ping may stay unanswered before the peer is declared dead, counted from when the ping was queued; null:
   * measure and never judge. @default 20000
   */
  readonly pingTimeout?: number | null | undefined;
  /** The signs of life that count: only `"pong"`s, or any received byte (`"traffic"`). @default "pong" */
  readonly liveness?: Liveness | undefined;
  /**
   * How a dead peer is detected. `"fixed"`: by `pingInterval` and `pingTimeout`. `"adaptive"`: by deadlines that follow from
   * the measured round trip, never later than `pingTimeout`, with a ping every 2 seconds while messages pass or the page
   * is visible (docs/keepalive.md). An object sets its limits. @default "fixed"
   */
  readonly detection?: "adaptive" | "fixed" | DetectionOptions | undefined;
  /** Time from the beginning of closing to the end of the socket. @default 10000 */
  readonly closeTimeout?: number | null | undefined;
  /** Answer pings (RFC 6455 section 5.5.2). @default true */
  readonly autoPong?: boolean | undefined;
  /** The largest message that is accepted; a larger one fails the connection with 1009. @default 1048576 */
  readonly maxMessageSize?: number | null | undefined;
  /**
   * The form of received text messages: a string, or its UTF-8 as `TextBytes`, which saves decoding if the application
   * only forwards it. `recvStream()` yields strings in both cases. @default "string"
   */
  readonly text?: TextForm | undefined;
  /**
   * The number of received messages, or of their bytes, that may wait to be read before reading pauses. After a second it
   * goes on, so that pings behind them are answered, until they take twice the bytes in memory. @default {
   * messages: 1024, bytes: 1048576 }
   */
  readonly maxQueue?:
    | number
    | { readonly messages?: number | null | undefined; readonly bytes?: number | null | undefined }
    | null
    | undefined;
  /** The number of unsent bytes from which `send()` waits; null: never. @default 65536 */
  readonly writeLimit?: number | null | undefined;
  /** permessage-deflate (RFC 7692); true for good defaults. Used only if the peer agrees. @default false */
  readonly compression?: boolean | CompressionOptions | undefined;
  /**
   * The logger (docs/logging.md). `info` and above are for production; a logger that shows `debug` gets a line for each
   * frame. With HOLDFAST_DEBUG=1 in the environment, everything appears on stderr as well. With null, the library logs
   * nothing. Without this option, stderr shows errors of the application's own code (such as a handler that throws), and
   * a few warnings, such as one for each origin that a server refuses, up to 100.
   * @default undefined: errors of the application's own code, and a few warnings, on stderr
   */
  readonly logger?: Logger | null | undefined;
}

export const CONNECTION_OPTIONS: OptionNames<ConnectionOptions> = {
  pingInterval: true,
  pingTimeout: true,
  liveness: true,
  detection: true,
  closeTimeout: true,
  autoPong: true,
  maxMessageSize: true,
  text: true,
  maxQueue: true,
  writeLimit: true,
  compression: true,
  logger: true,
};

/** The complete and valid options of a connection. */
export interface ConnectionSettings extends HeartbeatSettings, InboxLimits {
  readonly closeTimeout: number | null;
  readonly autoPong: boolean;
  readonly maxMessageSize: number | null;
  readonly text: TextForm;
  readonly writeLimit: number;
  /** Null where the transport does not compress. */
  readonly compression: DeflateSettings | null;
  readonly logger: Logger | null;
  /** The code that logs a connection to `logger`. Absent in a page without a logger, which does not load it. */
  readonly log?: typeof ConnectionLog | undefined;
  /** Receives errors of the application's own code, and a few warnings: the logger, else stderr; null for nothing. */
  readonly faultLogger: FaultLogger | null;
}

/** The settings that depend on the environment: a page compresses nothing, and loads code on demand. */
type EnvironmentSettings = Partial<Pick<ConnectionSettings, "adaptive" | "compression" | "log">>;

/**
 * Checks all options but `compression`, which only Node.js has.
 * @throws InvalidArgumentError that names the option, the expected value and the actual one
 */
export function checkConnectionOptions(
  options: ConnectionOptions,
  platform: Platform = SILENT_PLATFORM,
  { compression = null, log, adaptive }: EnvironmentSettings = {},
): ConnectionSettings {
  const pingInterval = checkDuration("pingInterval", options.pingInterval, 20_000);
  if (pingInterval === null && typeof options.pingTimeout === "number") {
    throw new InvalidArgumentError(
      `Expected no \`pingTimeout\` beside \`pingInterval: null\`, which sends no ping that could time out, got ${describe(options.pingTimeout)}.`,
    );
  }
  const pingTimeout = checkDuration("pingTimeout", options.pingTimeout, 20_000);
  const queue = checkQueue("maxQueue", options.maxQueue);
  const logger = checkLogger(options.logger, platform);
  return {
    pingInterval,
    pingTimeout: pingInterval === null ? null : pingTimeout,
    liveness: checkChoice("liveness", options.liveness, ["pong", "traffic"], "pong"),
    detection: checkDetection(options.detection, pingInterval, pingTimeout),
    closeTimeout: checkDuration("closeTimeout", options.closeTimeout, 10_000),
    autoPong: checkBoolean("autoPong", options.autoPong, true),
    maxMessageSize: checkSize("maxMessageSize", options.maxMessageSize, 1024 * 1024),
    text: checkChoice("text", options.text, ["string", "bytes"], "string"),
    maxQueuedMessages: queue.messages,
    maxQueuedBytes: queue.bytes,
    writeLimit: checkSize("writeLimit", options.writeLimit, 64 * 1024) ?? Infinity,
    compression,
    logger,
    log,
    adaptive,
    faultLogger: options.logger === undefined ? platform.faultLogger : logger,
  };
}
