// Streams that the application supplies: its own tunnel, an SSH channel, one end of an in-memory pair.

import type { Duplex } from "node:stream";
import { invalidArgument } from "../../shared/option-checks.js";
import type { WebSocketURL } from "../../protocol/handshake/url.js";
import { isInUse, reserve } from "../../transport/node/socket-byte-stream.js";
import type { DialContext } from "./dial-context.js";

/** Describes the connection that `createConnection` makes a stream for. */
export interface ConnectionTarget {
  /** The URL to connect to, without user info. After a redirect, the new URL. */
  readonly url: string;
  /** Host name or IP address. IPv6 addresses have no brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Whether the client will use TLS over the stream. */
  readonly isSecure: boolean;
  /** Aborts when the stream is no longer needed. */
  readonly signal: AbortSignal;
}

/** Opens a stream to the server, of raw bytes below TLS. */
export type CreateConnection = (target: ConnectionTarget) => Duplex | PromiseLike<Duplex>;

/** Calls `createConnection`, and waits until the stream is connected. */
export async function createStream(
  create: CreateConnection,
  { href, hostname, port, isSecure }: WebSocketURL,
  context: DialContext,
): Promise<Duplex> {
  context.enter("connect");
  const aborter = new AbortController();
  context.onCancel(() => aborter.abort());
  let made: Duplex;
  try {
    made = await create({ url: href, hostname, port, isSecure, signal: aborter.signal });
  } catch (error) {
    throw context.failure(error);
  } finally {
    context.onCancel(null);
  }
  // The network may have ended it meanwhile. One that an earlier connection used is a mistake.
  if (isDuplex(made) && hasEnded(made) && missingSide(made) === null && !isInUse(made)) {
    reserve(made);
    throw context.endOf(context.track(made));
  }
  try {
    return await takeStream(made, "createConnection", context);
  } catch (error) {
    if (isDuplex(made) && !isInUse(made)) made.destroy(); // Nobody else has it.
    throw error;
  }
}

/**
 * Checks and tracks the stream, and waits until it is connected.
 *
 * @throws InvalidArgumentError if it is not an open Duplex stream of bytes
 */
export async function takeStream(
  stream: Duplex,
  name: "stream" | "createConnection",
  context: DialContext,
): Promise<Duplex> {
  checkStream(name === "stream" ? name : `${name}()`, stream);
  reserve(stream);
  context.enter("connect");
  context.track(stream);
  if ("connecting" in stream && stream.connecting === true) await context.waitFor(stream, "connect");
  return stream;
}

/** @throws InvalidArgumentError */
export function checkStream(name: string, value: unknown): asserts value is Duplex {
  if (!isDuplex(value)) throw invalidArgument(name, "a Duplex stream", value);
  const problem = problemOf(value);
  if (problem !== null)
    throw invalidArgument(
      name,
      `an open Duplex stream of bytes, which this one is not: it ${problem}`,
      value,
    );
}

function isDuplex(value: unknown): value is Duplex {
  if (typeof value !== "object" || value === null) return false;
  // Check methods, not the class: `readable-stream` and other runtimes have their own classes.
  const methods: readonly (keyof Duplex)[] = [
    "on",
    "off",
    "pause",
    "resume",
    "write",
    "end",
    "destroy",
    "unshift",
  ];
  return methods.every((method) => typeof (value as Duplex)[method] === "function");
}

function hasEnded(stream: Duplex): boolean {
  return stream.destroyed || stream.readableEnded || stream.writableEnded;
}

/** Only the state of a Duplex shows whether it had a side that has ended, or never had it. */
interface Sides {
  readonly _readableState?: { readonly readable?: boolean };
  readonly _writableState?: { readonly writable?: boolean };
}

function missingSide(stream: Duplex & Sides): string | null {
  if (stream._readableState?.readable === false) return "was made with `readable: false`";
  return stream._writableState?.writable === false ? "was made with `writable: false`" : null;
}

function problemOf(stream: Duplex): string | null {
  const missing = missingSide(stream);
  if (missing !== null) return missing;
  if (stream.destroyed) return "was destroyed";
  if (isInUse(stream)) return "is in use by another connection";
  if (hasEnded(stream)) return "has ended";
  if (stream.readableObjectMode || stream.writableObjectMode) return "is in object mode";
  if (typeof stream.readableEncoding === "string") return "has an encoding set";
  return null;
}
