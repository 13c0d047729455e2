// Options of `connect()` in browsers, and their checks.

import type { OptionAdvice, OptionNames } from "../shared/option-names.js";
import {
  CONNECTION_OPTIONS,
  checkConnectionOptions,
  type ConnectionOptions,
  type ConnectionSettings,
} from "../connection/options.js";
import {
  checkBoolean,
  checkDuration,
  checkSignal,
  describe,
  invalidArgument,
  readItems,
} from "../shared/option-checks.js";
import { InvalidArgumentError } from "../shared/errors.js";
import { isReservedSubprotocol } from "../shared/link-subprotocol.js";
import { isToken } from "../shared/token.js";
import { browserPlatform } from "../transport/browser/browser-platform.js";
import { checkHeartbeatMessages, type HeartbeatMessages } from "../transport/browser/heartbeat-option.js";

/** Options of `connect()` in browsers. */
export interface ConnectOptions extends Omit<ConnectionOptions, "autoPong" | "compression"> {
  /** Milliseconds for opening as a whole; null for no limit. @default 10000 */
  readonly openTimeout?: number | null | undefined;
  /**
   * Subprotocols to offer, in order of preference (RFC 6455 section 1.9): any iterable, which is read once. The names
   * of the link protocol (`holdfast.v1`, …) are rejected. @default []
   */
  readonly subprotocols?: (Iterable<string> & object) | undefined;
  /**
   * Fail the handshake with NegotiationError if the server selects none of `subprotocols`. Most browsers fail it
   * themselves, with or without this option; that is a HandshakeError. In others, the connection opens by default, and
   * `connection.subprotocol` is null. @default false
   */
  readonly requireSubprotocol?: boolean | undefined;
  /** Aborts opening at any point. The promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | null | undefined;
  /**
   * Offer the link protocol, which lets pages send pings; Holdfast servers accept it. If the server rejects the offer,
   * the client retries without it, except with `"required"`. @default true, or false if `heartbeat` is set
   */
  readonly linkProtocol?: boolean | "required" | undefined;
  /** Functions that create and recognise heartbeat messages, for servers without the link protocol. */
  readonly heartbeat?: HeartbeatMessages | undefined;
}

export interface ConnectSettings {
  readonly connection: ConnectionSettings;
  readonly openTimeout: number | null;
  readonly subprotocols: readonly string[];
  readonly requireSubprotocol: boolean;
  readonly signal: AbortSignal | null;
  readonly linkProtocol: boolean | "required";
  readonly heartbeat: HeartbeatMessages | null;
}

/** Options that browsers do not support, with the reason or an alternative. */
const UNSUPPORTED_OPTIONS: readonly (readonly [name: string, advice: string])[] = [
  ["headers", "a page cannot send headers: put a token into the URL, a cookie or the first message"],
  ["origin", "the browser sends the page's own"],
  ["tls", "the browser decides which certificates it accepts"],
  ["proxy", "the browser uses its own settings"],
  ["compression", "the browser compresses where the server agrees"],
  ["autoPong", "the browser answers pings by itself"],
  ["maxHandshakeSize", "the browser has limits of its own"],
  ["maxRedirects", "browsers follow no redirect of a WebSocket"],
  ["redirectHeaders", "browsers follow no redirect of a WebSocket"],
  ["http2", "the browser chooses the version of HTTP"],
  ...["socketPath", "stream", "createConnection", "localAddress", "family", "lookup", "autoSelectFamily"].map(
    (name) => [name, "the browser makes its own connections"] as const,
  ),
];

const { autoPong: _, compression: __, ...SHARED_OPTIONS } = CONNECTION_OPTIONS;

/** Every other client than connectPersistent() has one socket, and so no session to resume. */
export const NO_SESSION: OptionAdvice = { session: "Use connectPersistent(), which resumes sessions" };

export const CONNECT_OPTIONS: OptionNames<ConnectOptions> = {
  ...SHARED_OPTIONS,
  // checkConnectOptions() rejects these with a more specific message.
  ...Object.fromEntries(UNSUPPORTED_OPTIONS.map(([name]) => [name, true])),
  openTimeout: true,
  subprotocols: true,
  requireSubprotocol: true,
  signal: true,
  linkProtocol: true,
  heartbeat: true,
};

/** @throws InvalidArgumentError that names the option, the expected and the actual value */
export function checkConnectOptions(options: ConnectOptions): ConnectSettings {
  rejectUnsupported(options);
  const heartbeat = checkHeartbeatMessages(options.heartbeat);
  return {
    connection: checkConnectionOptions(options, browserPlatform),
    openTimeout: checkDuration("openTimeout", options.openTimeout, 10_000),
    subprotocols: checkSubprotocols(options.subprotocols ?? []),
    requireSubprotocol: checkBoolean("requireSubprotocol", options.requireSubprotocol, false),
    signal: checkSignal(options.signal),
    linkProtocol: checkLinkProtocol(options.linkProtocol, heartbeat),
    heartbeat,
  };
}

function rejectUnsupported(options: object): void {
  for (const [name, advice] of UNSUPPORTED_OPTIONS) {
    const value: unknown = name in options ? options[name as keyof object] : undefined;
    // Elsewhere, null means "none" for some of these options.
    if (value === undefined || value === null) continue;
    throw new InvalidArgumentError(
      `Expected no \`${name}\` in a browser (${advice}), got ${describe(value)}.`,
    );
  }
}

function checkLinkProtocol(value: unknown, heartbeat: HeartbeatMessages | null): boolean | "required" {
  const choice = value === undefined ? heartbeat === null : value;
  if (typeof choice !== "boolean" && choice !== "required")
    throw invalidArgument("linkProtocol", 'true, false or "required"', value);
  if (choice === false || heartbeat === null) return choice;
  throw new InvalidArgumentError(
    `Expected \`linkProtocol: false\` beside \`heartbeat\`: there is one heartbeat, got ${describe(value)}.`,
  );
}

function checkSubprotocols(value: unknown): readonly string[] {
  const items = readItems("subprotocols", value);
  if (items?.every((item) => typeof item === "string" && isToken(item)) !== true) {
    throw invalidArgument("subprotocols", "a list of tokens (RFC 6455 section 4.1)", value);
  }
  const names = items as readonly string[]; // Safe: every item was checked.
  const wrong = names.find((name, index) => isReservedSubprotocol(name) || names.indexOf(name) !== index);
  if (wrong === undefined) return names;
  throw invalidArgument("subprotocols", "names once each, and none of the link protocol", wrong);
}
