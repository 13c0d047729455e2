// The port to Redis: one connection, used once. The client libraries reconnect on their own, and then repeat commands
// that may have been carried out, or resubscribe without reporting what was missed. So the engine opens a new
// connection each time.

import { InvalidArgumentError } from "holdfast";

export type Argument = Buffer | string;
/** Replies in the types of RESP 2. */
export type Reply = Buffer | number | readonly Reply[] | null;

/** A node of a cluster. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface RedisConnection {
  /** Whether commands can be sent. */
  readonly isOpen: boolean;
  /** Rejects with the error that Redis replied, or with another one if the connection closed. */
  send(args: readonly Argument[]): Promise<Reply>;
  /** Whether `send` rejected with this error before it wrote anything: the socket had ended, unknown to `isOpen`. */
  isUnsent(error: unknown): boolean;
  /** Resolves once all channels are subscribed. In a cluster, they are of one slot. */
  subscribe(channels: readonly string[]): Promise<void>;
  unsubscribe(channels: readonly string[]): Promise<void>;
  close(): void;
}

/** Its methods return soon: Redis drops connections that read slowly. */
export interface ConnectionHandler {
  onMessage(channel: string, payload: Buffer): void;
  /** Called once, also after `close()`. Never called if the connection did not open. */
  onClosed(): void;
}

export interface Connector {
  readonly isCluster: boolean;
  /** The number of the database; 0 in a cluster. */
  readonly database: number;
  /** The nodes of a cluster that the client knows. */
  readonly nodes: readonly Address[];
  /** The address at which to reach a node that announces this one: the client may have a map of addresses. */
  reach(announced: Address): Address;
  /** Opens a connection: to this node of a cluster, or where the client connects to. Rejects if it takes too long. */
  connect(address: Address | null, handler: ConnectionHandler): Promise<RedisConnection>;
}

/** Milliseconds that a connection may take to open; then another attempt begins. */
export const CONNECT_TIMEOUT = 1_500;

/** The address that a client's map has for this one, if it has any. */
export function mappedBy(map: unknown, address: Address): Address {
  const name = `${address.host}:${address.port}`;
  const mapped: unknown =
    typeof map === "function"
      ? (map as (name: string) => unknown)(name)
      : (map as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  return (mapped as Address | null | undefined) ?? address; // The client expects the same.
}

/** @throws InvalidArgumentError if the client has a prefix for keys: scripts get their keys another way */
export function rejectKeyPrefix(...options: readonly unknown[]): void {
  for (const each of options) {
    const { keyPrefix } = (each ?? {}) as { readonly keyPrefix?: unknown };
    if (keyPrefix === undefined || keyPrefix === null || keyPrefix === "") continue;
    throw new InvalidArgumentError(
      "Expected `client` to have no `keyPrefix`, since channels need the prefix as well. Set the option `prefix` instead.",
    );
  }
}

/** Adds the names of the channels to an error of Redis, which does not say which one it denies. */
export function namingChannels(error: unknown, channels: readonly string[]): unknown {
  if (!isErrorReply(error) || !error.message.startsWith("NOPERM")) return error;
  return new Error(`${error.message} (channel ${channels.join(", ")}).`, { cause: error });
}

/** Whether Redis replied with this error: its code comes first, in capitals. */
export function isErrorReply(error: unknown): error is Error {
  return error instanceof Error && /^[A-Z]{2,}( |$)/.test(error.message);
}
