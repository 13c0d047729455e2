// A client library that takes a class `WebSocket`, and a scene that uses it against a server on 127.0.0.1.

import type { ResumableWebSocketOptions, WebSocketConstructor } from "holdfast/websocket";
import type { Row } from "../matrix/tables.js";

/** `WebSocket` or `ResumableWebSocket` of holdfast/websocket. */
export type WebSocketClass = WebSocketConstructor<ResumableWebSocketOptions>;

export interface Library {
  readonly row: Row;
  readonly packageName: string;
  /** Why it cannot use `ResumableWebSocket`; null if it can. */
  readonly withoutSessions: string | null;
  /** A remark on the server of the scene; null for none. */
  readonly note: string | null;
  /** Uses the library with this class: a handshake, messages in both directions, and a clean end. */
  readonly run: (Class: WebSocketClass) => Promise<void>;
}

/** A class whose instances share options, for libraries that construct it themselves. */
export function withOptions(Class: WebSocketClass, holdfast: ResumableWebSocketOptions): WebSocketClass {
  return class extends Class {
    constructor(url: string | URL, protocols?: string | Iterable<string>) {
      super(url, protocols, { holdfast });
    }
  };
}
