// The port by which the platform hints that the network may be another one, or back: browsers have `online`,
// `visibilitychange` and `pageshow` for that.

export interface NetworkSignals {
  /** Calls back on each hint, until what it returns is called. */
  subscribe(onHint: () => void): () => void;
}
