// Checks the network path to the server step by step, without a WebSocket: DNS, TCP, TLS. It accepts certificates that
// `connect()` rejects, in order to say what is wrong with them.

import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { connect as connectTCP, isIP, type Socket } from "node:net";
import { connect as connectTLS, type ConnectionOptions as TlsOptions, type TLSSocket } from "node:tls";
import { explain, HandshakeError } from "../../index.js";
import { deadline } from "../connection/deadline.js";
import { NO_TLS_ADVICE } from "../connection/opening-advice.js";
import type { Finding } from "./finding.js";

const DAY = 86_400_000;

/** How a step is run. */
interface Limits {
  /** Milliseconds for each step; null for no limit. */
  readonly openTimeout: number | null;
  readonly signal: AbortSignal;
}

/** The server that a URL names. */
export function serverOf({ protocol, hostname, port }: URL): {
  readonly isSecure: boolean;
  readonly hostname: string;
  readonly port: number;
} {
  const isSecure = protocol === "wss:" || protocol === "https:";
  const host = hostname.replace(/^\[|\]$/g, "");
  return { isSecure, hostname: host, port: port === "" ? (isSecure ? 443 : 80) : Number(port) };
}

/** Stops after the first failed step. */
export async function* examineNetwork(url: URL, tls: TlsOptions, limits: Limits): AsyncGenerator<Finding> {
  const { isSecure, hostname: host, port } = serverOf(url);

  const [names, lookupTime] = await timed(limits, () =>
    isIP(host) > 0 ? [{ address: host }] : lookup(host, { all: true }),
  );
  if (names instanceof Error) {
    const advice = "Check the spelling of the host, and that a name server is reachable.";
    yield {
      check: "DNS",
      verdict: "failed",
      text: `${host} could not be resolved: ${reasonOf(names)}`,
      advice,
    };
    return;
  }
  const addresses = names.map(({ address }) => address).join(", ");
  yield { check: "DNS", verdict: "ok", text: `${host} is ${addresses}`, duration: lookupTime };

  const [socket, connectTime] = await timed(limits, (signal) =>
    waitFor(connectTCP({ host, port, autoSelectFamily: true }), "connect", signal),
  );
  if (socket instanceof Error) {
    const advice = "Check the port, whether the server runs, and firewalls in between.";
    yield {
      check: "TCP",
      verdict: "failed",
      text: `no connection to ${host} port ${port}: ${reasonOf(socket)}`,
      advice,
    };
    return;
  }
  const text = `connected to ${socket.remoteAddress ?? host} port ${port}`;
  yield { check: "TCP", verdict: "ok", text, duration: connectTime };
  if (isSecure) yield* examineTLS(socket, host, tls, limits);
  socket.destroy();
}

async function* examineTLS(
  socket: Socket,
  host: string,
  tls: TlsOptions,
  limits: Limits,
): AsyncGenerator<Finding> {
  const servername = isIP(host) > 0 ? {} : { servername: host };
  const ALPNProtocols = ["http/1.1"];
  const [secure, duration] = await timed(limits, (signal) =>
    waitFor(
      connectTLS({ ...servername, host, ALPNProtocols, ...tls, socket, rejectUnauthorized: false }),
      "secureConnect",
      signal,
    ),
  );
  if (secure instanceof Error) {
    const failed = `the handshake failed: ${reasonOf(secure)}`;
    // An alert is TLS: the server speaks it, and rejects something.
    if (/alert/i.test(secure.message)) {
      const text = explain(new HandshakeError(failed, { failure: "tls", cause: secure }));
      yield { check: "TLS", verdict: "failed", text };
    } else {
      yield { check: "TLS", verdict: "failed", text: failed, advice: NO_TLS_ADVICE };
    }
    return;
  }
  const protocol = secure.getProtocol() ?? "TLS";
  const text = `${protocol}, ${secure.getCipher().name}, ${secure.alpnProtocol === false || secure.alpnProtocol === null ? "no ALPN" : secure.alpnProtocol}`;
  yield { check: "TLS", verdict: "ok", text, duration };
  yield certificateFinding(secure, tls.rejectUnauthorized === false);
  secure.destroy();
}

function certificateFinding(socket: TLSSocket, isAnyAccepted: boolean): Finding {
  const { valid_to: end, subjectaltname: names } = socket.getPeerCertificate();
  const days = Math.floor((Date.parse(end) - Date.now()) / DAY);
  const validity = `valid until ${end} (${days} days)`;
  if (!socket.authorized) {
    const code = String(socket.authorizationError);
    const cause = Object.assign(new Error(code), { code });
    const failed = `${code}; ${validity}, for ${names ?? "no host names"}`;
    const text = explain(new HandshakeError(failed, { failure: "tls", cause }));
    return { check: "certificate", verdict: isAnyAccepted ? "warning" : "failed", text };
  }
  if (days >= 14) return { check: "certificate", verdict: "ok", text: validity };
  return { check: "certificate", verdict: "warning", text: validity, advice: "Renew it soon." };
}

async function waitFor<Stream extends Socket>(
  stream: Stream,
  event: string,
  signal: AbortSignal,
): Promise<Stream> {
  try {
    await once(stream, event, { signal });
    return stream;
  } catch (error) {
    stream.destroy();
    throw error;
  } finally {
    stream.on("error", () => undefined); // Later errors do not matter.
  }
}

/** OpenSSL ends a message with a line feed; the error of several addresses has none, but theirs. */
function reasonOf(error: Error): string {
  const errors = error instanceof AggregateError ? (error.errors as readonly Error[]) : [error]; // Of Node's `connect()`.
  return errors.map(({ message }) => message.trim()).join("; ");
}

/** Returns the result of the step or its error, and the milliseconds that it took. */
async function timed<Value>(
  { openTimeout, signal }: Limits,
  step: (signal: AbortSignal) => Value | Promise<Value>,
): Promise<[Value | Error, number]> {
  const began = performance.now();
  const late = deadline(signal, openTimeout);
  // A name lookup cannot be aborted.
  const aborted = new Promise<never>((_, reject) => late.addEventListener("abort", reject, { once: true }));
  const result = await Promise.race([aborted, (async () => step(late))()]).catch((error: unknown) => {
    // eslint-disable-next-line no-restricted-syntax -- The end of a finding's sentence.
    if (late.aborted) return new Error(`no answer within ${Number(openTimeout) / 1000} s`);
    return error instanceof Error ? error : new Error(String(error));
  });
  return [result, performance.now() - began];
}
