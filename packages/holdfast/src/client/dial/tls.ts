// TLS over an open stream: a tunnel through a proxy, or a stream of the application.

import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import type { ConnectionOptions as TlsOptions, TLSSocket } from "node:tls";
import { nodeModule } from "../../protocol/node-module.js";
import { InvalidArgumentError, type OpenPhase } from "../../shared/errors.js";
import { errorOf } from "../../shared/thrown.js";
import type { DialContext } from "./dial-context.js";
import { keyOfObject } from "./options-key.js";
import { guardedIdentityCheck, guardedPskCallback, passesIdentityCheck } from "./tls-callbacks.js";
import type { TlsSessions } from "./tls-sessions.js";
import { withFullStop } from "../../shared/full-stop.js";

export interface TlsSettings {
  /** The name to verify in the certificate, unless `options` overrides it. */
  readonly hostname: string;
  /** Protocols to offer over TLS (RFC 7301). */
  readonly alpnProtocols: readonly string[];
  /** Options of the application. */
  readonly options: TlsOptions | undefined;
  /** The option's name, for error messages. */
  readonly name: "tls" | "proxy.tls";
  /** The host and port, or the path, that sessions belong to. */
  readonly destination: string;
  /** Sessions to resume; null if each connection makes a full handshake. */
  readonly sessions: TlsSessions | null;
}

/**
 * Completes a TLS handshake over `stream`.
 *
 * @throws HandshakeError; InvalidArgumentError if Node rejects the options
 */
export async function secure(
  stream: Duplex,
  tls: TlsSettings,
  phase: OpenPhase,
  context: DialContext,
): Promise<TLSSocket> {
  context.enter(phase, true);
  const secured = context.track(startTls({ socket: stream }, tls, context));
  await context.waitFor(secured, "secureConnect");
  return secured;
}

/**
 * Starts a TLS handshake.
 *
 * @param address where to connect to, or the stream to use
 * @throws InvalidArgumentError if Node rejects the options
 */
export function startTls(address: TlsOptions, tls: TlsSettings, context: DialContext): TLSSocket {
  const { sessions, options = {} } = tls;
  const identity = identityOf(tls);
  const { connect: connectTls } = nodeModule("node:tls");
  try {
    // A session of the application takes precedence. A pre-shared key is a session of its own.
    if (sessions === null || options.session !== undefined || options.pskCallback !== undefined) {
      return connectTls({ ...tlsOptions(tls, identity, context), ...address });
    }
    const key = [tls.name, tls.destination, keyOfObject({ ...options, alpn: tls.alpnProtocols })].join(" ");
    const offered = sessions.find(key, (certificate) =>
      passesIdentityCheck(options.checkServerIdentity, identity, certificate),
    );
    const session = offered === null ? {} : { session: offered.session };
    const socket = connectTls({ ...tlsOptions(tls, identity, context), ...session, ...address });
    sessions.follow(socket, key, offered);
    return socket;
  } catch (cause) {
    throw asInvalidTls(tls, cause);
  }
}

/** The name to verify in the certificate. An empty `servername` disables SNI, but the certificate is still verified. */
function identityOf({ hostname, options: { servername } = {} }: TlsSettings): string {
  return withoutTrailingDot(servername === undefined || servername === "" ? hostname : servername);
}

function tlsOptions(tls: TlsSettings, identity: string, context: DialContext): TlsOptions {
  const { alpnProtocols, options = {} } = tls;
  const { servername, checkServerIdentity, pskCallback, ...others } = options;
  const sentName = servername === "" ? "" : serverName(identity);
  return {
    ALPNProtocols: [...alpnProtocols],
    ...others,
    ...(sentName === "" ? {} : { servername: sentName }),
    checkServerIdentity: guardedIdentityCheck(tls, checkServerIdentity, identity, context),
    ...(pskCallback === undefined ? {} : { pskCallback: guardedPskCallback(tls, pskCallback, context) }),
  };
}

/** RFC 6066 section 3: SNI is a host name, never an IP address, without a trailing dot. */
function serverName(identity: string): string {
  return isIP(identity) === 0 ? identity : "";
}

function withoutTrailingDot(name: string): string {
  let end = name.length;
  while (name[end - 1] === ".") end--;
  return name.slice(0, end);
}

function asInvalidTls({ name }: TlsSettings, cause: unknown): InvalidArgumentError {
  const message = withFullStop(
    `Expected \`${name}\` to be options of tls.connect, got an error: ${errorOf(cause).message}`,
  );
  return new InvalidArgumentError(message, { cause });
}
