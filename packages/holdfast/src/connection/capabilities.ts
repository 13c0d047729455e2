// What an environment can do: the same promises do not hold everywhere.

/** What connections can do here. A program that runs in Node.js and in browsers asks this rather than where it is. */
export interface Capabilities {
  /** Ping and Pong frames of our own. Without them, a heartbeat needs a server that takes part (docs/browser.md). */
  readonly pings: boolean;
  /** Request headers (`headers`, `origin`), and the answer's headers in `response`. */
  readonly headers: boolean;
  /** `tls`: certificates and authorities of one's own. */
  readonly tls: boolean;
  /** `compression`: its parameters, and whether there is any. Browsers decide that themselves. */
  readonly compression: boolean;
  /** Reading stops where `maxQueue` is reached, and the peer has to wait. */
  readonly backpressure: boolean;
  /** Messages are sent and received in fragments; otherwise whole, whatever they are made of. */
  readonly fragments: boolean;
  /** Any code that may travel can be sent in a Close; otherwise 1000 and 3000–4999 only. */
  readonly closeCodes: boolean;
  /** An end without a Close: `terminate()`. */
  readonly terminate: boolean;
  /** Errors tell why a connection could not be opened: status, name lookup, certificate, … */
  readonly openErrors: boolean;
  /** Addresses of both ends. */
  readonly addresses: boolean;
}
