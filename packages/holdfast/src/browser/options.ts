// Options of `connect()` in browsers.

import type { OptionNames } from "../shared/option-names.js";
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
import { checkHeartbeatMessages, type HeartbeatMessages } from "../transport/browser/heartbeat-messages.js";

/** Options of `connect()` in browsers. */
export interface ConnectOptions extends Omit<ConnectionOptions, "autoPong" | "compression"> {
  /** Time for all of opening together; null for no limit. @default 10000 */
  readonly openTimeout?: number | null;
  /**
   * Subprotocols to offer, the preferred one first (RFC 6455 section 1.9): any iterable, read once. The names of the
   * link protocol (`holdfast.v1`, …) are refused. @default []
   */
  readonly subprotocols?: (Iterable<string> & object) | undefined;
  /**
   * Fail the handshake with NegotiationError where the server selects none of `subprotocols` (RFC 6455 section 4.1
   * lets it). Without this option the connection opens, and `connection.subprotocol` is null. @default false
   */
  readonly requireSubprotocol?: boolean | undefined;
  /** Gives up at any moment of opening; the promise rejects with its reason. */
  readonly signal?: AbortSignal | null | undefined;
  /**
   * Offer the link protocol, which gives pings to pages; a server of this library accepts it. One that refuses the
   * offer is asked again without it; `"required"` leaves that out. @default true, and false beside `heartbeat`
   */
  readonly linkProtocol?: boolean | "required";
  /** Makes and recognises the messages of a heartbeat that another server understands, in place of pings. */
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

/** What only other environments can honour, and what to do about it here. */
const UNKNOWN_HERE: readonly (readonly [name: string, advice: string])[] = [
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

export const CONNECT_OPTIONS: OptionNames<ConnectOptions> = {
  ...SHARED_OPTIONS,
  // They have a message of their own.
  ...Object.fromEntries(UNKNOWN_HERE.map(([name]) => [name, true])),
  openTimeout: true,
  subprotocols: true,
  requireSubprotocol: true,
  signal: true,
  linkProtocol: true,
  heartbeat: true,
};

/** @throws InvalidArgumentError that names the option, what was expected and what came */
export function checkConnectOptions(options: ConnectOptions): ConnectSettings {
  refuseUnknownHere(options);
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

function refuseUnknownHere(options: object): void {
  for (const [name, advice] of UNKNOWN_HERE) {
    const value: unknown = name in options ? options[name as keyof object] : undefined;
    // Other environments take null for "none" in places.
    if (value === undefined || value === null) continue;
    throw new InvalidArgumentError(
      `Expected no \`${name}\` in a browser (${advice}), got ${describe(value)}`,
    );
  }
}

function checkLinkProtocol(value: unknown, heartbeat: HeartbeatMessages | null): boolean | "required" {
  const choice = value === "required" ? value : checkBoolean("linkProtocol", value, heartbeat === null);
  if (choice === false || heartbeat === null) return choice;
  throw new InvalidArgumentError(
    `Expected \`linkProtocol: false\` beside \`heartbeat\`: there is one heartbeat, got ${describe(value)}`,
  );
}

function checkSubprotocols(value: unknown): readonly string[] {
  const items = readItems("subprotocols", value);
  if (items?.every((item) => typeof item === "string" && isToken(item)) !== true) {
    throw invalidArgument("subprotocols", "a list of tokens (RFC 6455 section 4.1)", value);
  }
  const names = items as readonly string[]; // Every item was looked at.
  const wrong = names.find((name, index) => isReservedSubprotocol(name) || names.indexOf(name) !== index);
  if (wrong === undefined) return names;
  throw invalidArgument("subprotocols", "names once each, and none of the link protocol", wrong);
}
