/// <reference lib="esnext.disposable" preserve="true" />
// The public surface for browsers: what index.ts is elsewhere, but for servers.

export { connect } from "./browser/connect.js";
export type { ConnectOptions } from "./browser/options.js";
export { connectInWorker } from "./browser/connect-in-worker.js";
export type { ConnectInWorkerOptions } from "./browser/connect-in-worker.js";
export { WorkerError } from "./worker/worker-error.js";
export type { HeartbeatMessages } from "./browser/heartbeat-messages.js";
export { Client } from "./browser/client.js";
export type { ClientOptions } from "./browser/client.js";
export { connectPersistent } from "./browser/connect-persistent.js";
export type { ConnectPersistentOptions } from "./browser/connect-persistent.js";
export { PersistentConnection } from "./persist/persistent/persistent-connection.js";
export type { PersistentSendOptions } from "./persist/persistent/persistent-connection.js";
export type { OpenContext, PersistentOptions } from "./persist/persistent/persistent-options.js";
export type {
  ClosedStatus,
  ClosingStatus,
  ConnectingStatus,
  OpenStatus,
  PersistentEventName,
  PersistentEvents,
  PersistentListener,
  PersistentStatus,
  WaitingStatus,
} from "./persist/persistent/status.js";
export { NotSent } from "./persist/persistent/not-sent.js";
export type { NotSentOutcome, NotSentReason } from "./persist/persistent/not-sent.js";
export { reconnect } from "./browser/reconnect.js";
export type { ReconnectOptions } from "./browser/reconnect.js";
export { persist } from "./persist/persist.js";
export type { PersistOptions } from "./persist/retry/persist-options.js";
export type { Provided } from "./persist/target.js";
export type {
  BackOffEvent,
  BinaryEvent,
  ClientEvent,
  ClientEventType,
  ClosedEvent,
  ClosingEvent,
  ConnectedEvent,
  ConnectFailEvent,
  ConnectingEvent,
  DisconnectedEvent,
  EventTime,
  PingEvent,
  PollEvent,
  PongEvent,
  ProtocolErrorEvent,
  ReadyEvent,
  RejectedEvent,
  SuspendedEvent,
  TextEvent,
  UnresponsiveEvent,
} from "./persist/events.js";

export { heartbeat, withHeartbeat } from "./persist/heartbeat.js";
export type { HeartbeatOptions } from "./persist/heartbeat.js";
export { keepalive } from "./persist/keepalive.js";
export type { KeepaliveOptions } from "./persist/keepalive.js";

export { Connection } from "./connection/connection.js";
export type { CallOptions, PingOptions, ReceiveOptions, SendOptions } from "./connection/connection.js";
export type { Bytes } from "./connection/arguments.js";
export type { CloseCause, CloseEvidence, CloseInfo, Traffic } from "./connection/close-info.js";
export type { Capabilities } from "./connection/capabilities.js";
export { capabilities } from "./browser/capabilities.js";
export { explain } from "./browser/explain.js";
export type { Fragments } from "./connection/fragmented-send.js";
export type { HandshakeRequest, HandshakeResponse } from "./connection/handshake-record.js";
export type { Message } from "./connection/inbox.js";
export type { ConnectionState } from "./connection/link.js";
export type { ConnectionEventName, ConnectionEvents, Listener } from "./connection/listeners.js";
export type { ConnectionOptions } from "./connection/options.js";
export type { Address, Logger } from "./connection/ports.js";
export type { LatencyStats } from "./heartbeat/latency-statistics.js";
export type { Liveness } from "./heartbeat/signals.js";
export { TextBytes } from "./protocol/message/text-bytes.js";
export type { CloseFrame } from "./protocol/close-code.js";

export {
  HandshakeError,
  HoldfastError,
  InvalidArgument,
  InvalidHeader,
  InvalidState,
  InvalidStatus,
  InvalidUpgrade,
  InvalidURL,
  MessageTooBig,
  NegotiationError,
  OpenTimeout,
  ProtocolError,
  ProxyError,
  RedirectError,
} from "./protocol/errors.js";
export type { OpenFailure, OpenPhase } from "./protocol/errors.js";
export {
  ConcurrencyError,
  ConnectionClosed,
  ConnectionClosedError,
  ConnectionClosedOK,
  TooSlowError,
} from "./connection/errors.js";
