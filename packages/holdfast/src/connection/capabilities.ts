// The features of an environment: a browser does not keep every promise that Node.js keeps.

/**
 * The abilities of connections in this environment. A program for Node.js and browsers should check them rather than
 * detect the environment.
 */
export interface Capabilities {
  /** We can send Ping and Pong frames. Without them, a heartbeat needs a server that cooperates (docs/browser.md). */
  readonly pings: boolean;
  /** Request headers can be set (`headers`, `origin`), and `response` has the headers of the answer. */
  readonly headers: boolean;
  /** `tls`: custom certificates and authorities. */
  readonly tls: boolean;
  /** `compression` can be configured. Browsers decide whether and how to compress. */
  readonly compression: boolean;
  /** Reading stops when `maxQueue` is reached, so that the peer has to wait. */
  readonly backpressure: boolean;
  /** Messages can be sent and received in fragments. Otherwise every message is sent and received whole. */
  readonly fragments: boolean;
  /** Every code that RFC 6455 allows can be sent in a Close; otherwise only 1000 and 3000–4999. */
  readonly closeCodes: boolean;
  /** A connection can be ended without a Close: `terminate()`. */
  readonly terminate: boolean;
  /** Errors say why a connection could not be opened: status, name lookup, certificate, … */
  readonly openErrors: boolean;
  /** The addresses of both ends are known. */
  readonly addresses: boolean;
}
