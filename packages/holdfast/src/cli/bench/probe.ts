// Checks with one message that the server echoes, before many connections wait for echoes in vain.

import { ConnectionClosed, connect, explain, type ConnectOptions } from "../../index.js";
import { deadline } from "../connection/deadline.js";
import { escaped } from "../terminal/escape.js";
import type { Payloads } from "./payload.js";

/** `isLate`: nothing was received, rather than something else. */
export type Echoing =
  { readonly kind: "echo" } | { readonly kind: "none"; readonly isLate: boolean; readonly message: string };

/** @throws HandshakeError if the connection cannot be opened */
export async function probe(
  url: string,
  options: ConnectOptions,
  payloads: Payloads,
  timeout: number,
  signal: AbortSignal,
): Promise<Echoing> {
  const connection = await connect(url, { ...options, signal });
  const late = deadline(signal, timeout);
  let other: string | Uint8Array | null = null;
  try {
    await connection.send(payloads.at(0), { signal: late });
    for (;;) {
      const message = await connection.recv({ signal: late });
      // The server may send a greeting first.
      if (payloads.check(0, message) === "echo") return { kind: "echo" };
      other ??= message;
    }
  } catch (error) {
    signal.throwIfAborted();
    const isClosed = error instanceof ConnectionClosed;
    if (!isClosed && !late.aborted) throw error;
    const then = isClosed ? `It ended the connection: ${explain(error.info)}` : "";
    return { kind: "none", isLate: other === null && !isClosed, message: problemText(other, timeout, then) };
  } finally {
    connection.terminate();
  }
}

function problemText(other: string | Uint8Array | null, timeout: number, then: string): string {
  const came =
    other === null
      ? `no echo was received${then === "" ? ` within ${timeout / 1000} s` : ""}`
      : `got ${shown(other)}`;
  return `This server does not echo: ${came}. ${then}`.trim();
}

function shown(message: string | Uint8Array): string {
  if (typeof message !== "string") return `${message.length} other bytes`;
  return `"${escaped(message.length > 40 ? `${message.slice(0, 40)}…` : message)}"`;
}
