// The base class of all errors, and the errors of opening a connection and of received frames.
// The other errors of an open connection are in connection/errors.ts.

/** Options of the errors below: the standard `cause`, and the stable `code` for programs. */
export interface HoldfastErrorOptions {
  readonly code?: `ERR_HOLDFAST_${string}`;
  readonly cause?: unknown;
}

/**
 * The base class of all errors of this library.
 * `message` says what happened and what to do; `code` is stable across releases.
 */
export class HoldfastError extends Error {
  static {
    this.prototype.name = "HoldfastError";
  }

  /** Stable identifier such as `ERR_HOLDFAST_OPEN_TIMEOUT`. */
  readonly code: `ERR_HOLDFAST_${string}`;

  constructor(message: string, options: HoldfastErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = options.code ?? "ERR_HOLDFAST_ERROR";
  }
}

/** An argument or an option is invalid. The message states its name, the expected value and the actual one. */
export class InvalidArgumentError extends HoldfastError {
  static {
    this.prototype.name = "InvalidArgumentError";
  }

  constructor(message: string, options: HoldfastErrorOptions = {}) {
    super(message, { code: "ERR_HOLDFAST_INVALID_ARGUMENT", ...options });
  }
}

/** The call is not possible in the current state of the connection. */
export class InvalidStateError extends HoldfastError {
  static {
    this.prototype.name = "InvalidStateError";
  }

  constructor(message: string, options: HoldfastErrorOptions = {}) {
    super(message, { code: "ERR_HOLDFAST_INVALID_STATE", ...options });
  }
}

/** The peer violated RFC 6455 on an open connection, which was failed with `closeCode`. */
export class ProtocolError extends HoldfastError {
  static {
    this.prototype.name = "ProtocolError";
  }

  /** 1002 (protocol error) or 1007 (invalid frame payload data). */
  readonly closeCode: number;

  constructor(message: string, closeCode: number) {
    super(message, { code: "ERR_HOLDFAST_PROTOCOL" });
    this.closeCode = closeCode;
  }
}

/** The message of the ProtocolError for a frame that a server received without a mask (RFC 6455 section 5.1). */
export const UNMASKED = "Expected a masked frame from a client, got an unmasked one.";

/** A message is longer than `maxMessageSize`, and the connection was failed with 1009; or longer than an engine accepts. */
export class MessageTooBigError extends HoldfastError {
  static {
    this.prototype.name = "MessageTooBigError";
  }

  /** Size of the message in bytes; a lower bound if the rest was not received. */
  readonly size: number;
  /** The limit, in bytes. */
  readonly limit: number;

  constructor(message: string, size: number, limit: number) {
    super(message, { code: "ERR_HOLDFAST_MESSAGE_TOO_BIG" });
    this.size = size;
    this.limit = limit;
  }
}

/** Why an attempt to open a connection failed; a subset of `CloseInfo.cause`. */
export type OpenFailure =
  | "aborted"
  | "dns"
  | "eof"
  | "invalid-handshake"
  | "open-timeout"
  | "proxy"
  | "refused"
  | "rejected"
  | "reset"
  | "tls"
  | "unreachable";

/** Options of the errors of opening: `failure` is for programs to switch on. */
export interface HandshakeErrorOptions extends HoldfastErrorOptions {
  readonly failure?: OpenFailure;
}

/** A connection could not be opened. */
export class HandshakeError extends HoldfastError {
  static {
    this.prototype.name = "HandshakeError";
  }

  /** The reason of the failure, in one word. */
  readonly failure: OpenFailure;

  constructor(message: string, options: HandshakeErrorOptions = {}) {
    super(message, { code: "ERR_HOLDFAST_HANDSHAKE", ...options });
    this.failure = options.failure ?? "invalid-handshake";
  }
}

/** The URL is not a WebSocket URL (RFC 6455 section 3). Thrown before any I/O. */
export class InvalidURLError extends HandshakeError {
  static {
    this.prototype.name = "InvalidURLError";
  }

  constructor(message: string, options: HandshakeErrorOptions = {}) {
    super(message, { code: "ERR_HOLDFAST_INVALID_URL", ...options });
  }
}

/** A header, subprotocol or origin cannot be sent, or was received malformed. */
export class InvalidHeaderError extends HandshakeError {
  static {
    this.prototype.name = "InvalidHeaderError";
  }

  /** The name of the header, as given. */
  readonly header: string;

  constructor(message: string, header: string, options: HandshakeErrorOptions = {}) {
    super(message, { code: "ERR_HOLDFAST_INVALID_HEADER", ...options });
    this.header = header;
  }
}

/** The peer's upgrade violates RFC 6455 section 4. */
export class InvalidUpgradeError extends HandshakeError {
  static {
    this.prototype.name = "InvalidUpgradeError";
  }

  constructor(message: string, options: HandshakeErrorOptions = {}) {
    super(message, { code: "ERR_HOLDFAST_INVALID_UPGRADE", ...options });
  }
}

/** The peer chose a subprotocol or an extension that was not offered (RFC 6455 section 4.1). */
export class NegotiationError extends HandshakeError {
  static {
    this.prototype.name = "NegotiationError";
  }

  constructor(message: string, options: HandshakeErrorOptions = {}) {
    super(message, { code: "ERR_HOLDFAST_NEGOTIATION", ...options });
  }
}

/** The server answered the upgrade with a status other than 101. */
export class InvalidStatusError extends HandshakeError {
  static {
    this.prototype.name = "InvalidStatusError";
  }

  /** The HTTP status. */
  readonly status: number;
  /** The headers of the response. */
  readonly headers: Headers;
  /** The body of the response, up to 64 KiB. */
  readonly body: Uint8Array;
  /** `Retry-After` in milliseconds from now; null if it is missing or invalid (RFC 9110 section 10.2.3). */
  readonly retryAfter: number | null;

  constructor(
    message: string,
    answer: { status: number; headers: Headers; body: Uint8Array; retryAfter: number | null },
  ) {
    super(message, { code: "ERR_HOLDFAST_INVALID_STATUS", failure: "rejected" });
    this.status = answer.status;
    this.headers = answer.headers;
    this.body = answer.body;
    this.retryAfter = answer.retryAfter;
  }
}

/** The HTTP response of a proxy. */
export interface ProxyAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** The proxy could not be reached or used, or it refused. `cause` is the system's error, if any. */
export class ProxyError extends HandshakeError {
  static {
    this.prototype.name = "ProxyError";
  }

  /** The status of an HTTP proxy's refusal, such as 407 (Proxy Authentication Required); otherwise null. */
  readonly status: number | null;
  /** The headers of that response; empty if there was none. */
  readonly headers: Headers;
  /** The body of that response, up to 64 KiB. */
  readonly body: Uint8Array;
  /** Whether the proxy demands a user and a password, or rejects those it got: status 407, or the same over SOCKS. */
  readonly needsCredentials: boolean;

  constructor(
    message: string,
    options: HandshakeErrorOptions & {
      readonly answer?: ProxyAnswer;
      readonly needsCredentials?: boolean;
    } = {},
  ) {
    const { answer, needsCredentials, ...rest } = options;
    super(message, { code: "ERR_HOLDFAST_PROXY", failure: "proxy", ...rest });
    this.status = answer?.status ?? null;
    this.headers = answer?.headers ?? new Headers();
    this.body = answer?.body ?? new Uint8Array();
    this.needsCredentials = needsCredentials ?? answer?.status === PROXY_AUTHENTICATION_REQUIRED;
  }
}

const PROXY_AUTHENTICATION_REQUIRED = 407;

/** A redirect cannot be followed. */
export class RedirectError extends HandshakeError {
  static {
    this.prototype.name = "RedirectError";
  }

  /**
   * The requested URLs in order, without user info; the last one sent the redirect. Not enumerable, because queries may
   * contain tickets and loggers print enumerable properties.
   */
  declare readonly hops: readonly string[];

  constructor(message: string, hops: readonly string[], options: HandshakeErrorOptions = {}) {
    super(message, { code: "ERR_HOLDFAST_REDIRECT", failure: "rejected", ...options });
    Object.defineProperty(this, "hops", { value: hops });
  }
}

/** The phase of an attempt: name lookup, TCP, proxy, TLS or the HTTP upgrade. */
export type OpenPhase = "dns" | "connect" | "proxy" | "tls" | "upgrade";

/** The connection did not open within `openTimeout`. */
export class OpenTimeoutError extends HandshakeError {
  static {
    this.prototype.name = "OpenTimeoutError";
  }

  /** The phase that the attempt was in. */
  readonly phase: OpenPhase;

  constructor(message: string, phase: OpenPhase) {
    super(message, { code: "ERR_HOLDFAST_OPEN_TIMEOUT", failure: "open-timeout" });
    this.phase = phase;
  }
}
