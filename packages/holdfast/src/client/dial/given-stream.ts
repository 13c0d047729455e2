// A stream that the application made: a tunnel of its own, an SSH channel, one end of a pair in memory.

import type { Duplex } from "node:stream";
import { invalidArgument } from "../../shared/option-checks.js";
import type { WebSocketURL } from "../../protocol/handshake/url.js";
import type { DialContext } from "./dial-context.js";

/** What a stream is wanted for. */
export interface ConnectionTarget {
  /** Without user info; after redirects the URL that they led to. */
  readonly url: string;
  /** An IPv6 address stands without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Whether TLS will be spoken over the stream. */
  readonly isSecure: boolean;
  /** Aborts when the stream is not wanted any more. */
  readonly signal: AbortSignal;
}

/** Makes a stream to the server: bytes as they are, below TLS. */
export type CreateConnection = (target: ConnectionTarget) => Duplex | PromiseLike<Duplex>;

/** Asks the application for a stream, and waits for it to be connected where it is a socket that is not yet. */
export async function makeStream(
  create: CreateConnection,
  { href, hostname, port, isSecure }: WebSocketURL,
  passage: DialContext,
): Promise<Duplex> {
  passage.enter("connect");
  const aborter = new AbortController();
  passage.onCancel(() => aborter.abort());
  let made: Duplex;
  try {
    made = await create({ url: href, hostname, port, isSecure, signal: aborter.signal });
  } catch (error) {
    throw passage.failure(error);
  } finally {
    passage.onCancel(null);
  }
  return takeStream(made, "createConnection", passage);
}

/** @throws InvalidArgumentError where it is no stream that can carry a connection */
export async function takeStream(
  stream: Duplex,
  name: "stream" | "createConnection",
  passage: DialContext,
): Promise<Duplex> {
  checkStream(name === "stream" ? name : `${name}()`, stream);
  passage.enter("connect");
  passage.track(stream);
  if ("connecting" in stream && stream.connecting === true) await passage.waitFor(stream, "connect");
  return stream;
}

/** @throws InvalidArgumentError */
export function checkStream(name: string, value: unknown): asserts value is Duplex {
  if (!isDuplex(value)) throw invalidArgument(name, "a Duplex stream", value);
  const trouble = troubleOf(value);
  if (trouble !== null)
    throw invalidArgument(
      name,
      `an open Duplex stream of bytes, which this one is not: it ${trouble}`,
      value,
    );
}

function isDuplex(value: unknown): value is Duplex {
  if (typeof value !== "object" || value === null) return false;
  // By its methods rather than its class: `readable-stream` and other runtimes have classes of their own.
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

function troubleOf(stream: Duplex): string | null {
  if (stream.destroyed) return "was destroyed";
  if (stream.readableEnded || stream.writableEnded) return "has ended";
  if (stream.readableObjectMode || stream.writableObjectMode) return "is in object mode";
  if (typeof stream.readableEncoding === "string") return "has an encoding set";
  return null;
}
