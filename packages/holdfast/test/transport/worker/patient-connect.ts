// A worker has to load the library before it connects, which takes a busy machine longer than the default `openTimeout`.

import {
  connectInWorker as connect,
  type Connection,
  type ConnectInWorkerOptions,
} from "../../../build/index.js";

export function connectInWorker(url: string, options: ConnectInWorkerOptions = {}): Promise<Connection> {
  return connect(url, { openTimeout: 60_000, ...options });
}
