// The object of Node that carries a request, for `request.raw` and `request.tls`.

import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { CipherNameAndProtocol, DetailedPeerCertificate, TLSSocket } from "node:tls";
import { nodeModule } from "../../protocol/node-module.js";
import type { RequestHead } from "../../protocol/handshake/request-head.js";

/** A request in the form of `node:http` or `node:http2`, as middleware expects it. */
export type RawRequest = IncomingMessage | Http2ServerRequest;

/** The TLS connection that a request arrived on. */
export interface RequestTLS {
  /**
   * Whether the client presented a certificate that one of the server's authorities (`ca`) signed. Always false unless
   * the server has `requestCert: true`.
   */
  readonly authorized: boolean;
  /** Why the certificate was not accepted, such as `"DEPTH_ZERO_SELF_SIGNED_CERT"`; null if it was. */
  readonly authorizationError: string | null;
  /**
   * The client's certificate, with those of its issuers; null if it presented none. Trust it only if `authorized`. On Bun,
   * `attach()` cannot read it, nor the version and the cipher (null and empty strings).
   */
  readonly peerCertificate: DetailedPeerCertificate | null;
  /** The version of TLS, such as `"TLSv1.3"`. */
  readonly protocol: string | null;
  readonly cipher: CipherNameAndProtocol;
  /** The host name that the client asked for (RFC 6066 section 3); null for none. */
  readonly servername: string | null;
}

/** The object of Node that carries a request. */
export type RequestSource =
  /** An HTTP server of the application read the request. */
  | { readonly kind: "message"; readonly message: IncomingMessage; readonly socket: Duplex }
  | { readonly kind: "socket"; readonly socket: Duplex }
  | {
      readonly kind: "stream";
      readonly stream: ServerHttp2Stream;
      readonly headers: IncomingHttpHeaders;
      readonly rawHeaders: readonly string[] | undefined;
    };

/** Creates a request of Node's if the library has read the request itself. */
export function rawRequestOf(source: RequestSource, head: RequestHead): RawRequest {
  switch (source.kind) {
    case "message":
      return source.message;
    case "socket":
      return messageOf(head, source.socket);
    case "stream":
      return http2RequestOf(source);
  }
}

/** Returns null without TLS, and once the socket is gone. */
export function tlsOf(source: RequestSource): RequestTLS | null {
  const socket = source.kind === "stream" ? source.stream.session?.socket : source.socket;
  if (socket === undefined || !isTLS(socket)) return null;
  const certificate = socket.getPeerCertificate?.(true) ?? null;
  // Node returns an empty object if there is no certificate.
  const isMissing = certificate !== null && Object.keys(certificate).length === 0;
  const { authorizationError } = socket as { authorizationError?: Error | string | null };
  return {
    authorized: socket.authorized && !isMissing, // On Deno, all clients are authorized that do not have to be.
    authorizationError: reasonOf(authorizationError ?? null),
    peerCertificate: isMissing ? null : certificate,
    protocol: socket.getProtocol?.() ?? null,
    cipher: socket.getCipher?.() ?? { name: "", standardName: "", version: "" },
    servername: servernameOf(socket),
  };
}

function http2RequestOf({
  stream,
  headers,
  rawHeaders = [],
}: Extract<RequestSource, { kind: "stream" }>): Http2ServerRequest {
  const { Http2ServerRequest } = nodeModule("node:http2");
  return new Http2ServerRequest(stream, headers, {}, rawHeaders);
}

function messageOf(head: RequestHead, socket: Duplex): IncomingMessage {
  const { IncomingMessage } = nodeModule("node:http");
  const message = new IncomingMessage(socket as Socket); // Any stream will do: IncomingMessage reads nothing from it.
  message.method = head.method;
  message.url = head.target;
  message.httpVersionMajor = 1;
  message.httpVersionMinor = head.minorVersion;
  message.httpVersion = `1.${head.minorVersion}`;
  for (const [name, value] of head.headers) message.rawHeaders.push(name, value);
  message.headers = headersOf(head);
  message.push(null);
  message.complete = true;
  return message;
}

/** Node joins the lines of a field in the same way. Lines that it drops, such as a second Host, were refused before. */
function headersOf({ headers }: RequestHead): IncomingHttpHeaders {
  const joined = Object.create(null) as Record<string, string | undefined>; // For names such as `__proto__`.
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const first = joined[key];
    joined[key] = first === undefined ? value : `${first}${key === "cookie" ? "; " : ", "}${value}`;
  }
  return joined;
}

/** The sockets of servers of node:https lack methods on Bun. */
type EncryptedSocket = Partial<TLSSocket> & Pick<TLSSocket, "authorized">;

/** Reads the property, since `in` does not see the properties of the socket that an HTTP/2 session shows. */
function isTLS(socket: Duplex | Socket): socket is EncryptedSocket & Socket {
  return !socket.destroyed && (socket as Partial<TLSSocket>).encrypted === true;
}

/** Node's types promise an Error, but a server has its code. */
function reasonOf(error: Error | string | null): string | null {
  return error instanceof Error ? error.message : error;
}

/** A property that Node's types lack; false if the client sent none. */
function servernameOf(socket: object): string | null {
  const { servername } = socket as { servername?: unknown };
  return typeof servername === "string" && servername !== "" ? servername : null;
}
