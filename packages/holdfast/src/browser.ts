/// <reference lib="esnext.disposable" preserve="true" />
// Entry point `holdfast` for browsers. The public surface of index.ts, without servers.

export { connect } from "./browser/connect.js";
export type { ConnectOptions } from "./browser/options.js";
export { connectInWorker } from "./browser/connect-in-worker.js";
export type { ConnectInWorkerOptions } from "./browser/connect-in-worker.js";
export { WorkerError } from "./transport/worker/worker-error.js";
export type { HeartbeatMessages } from "./transport/browser/heartbeat-option.js";
export { Client, persist } from "./browser/client.js";
export type { ClientOptions } from "./browser/client.js";
export { connectPersistent } from "./browser/connect-persistent.js";
export type { ConnectPersistentOptions } from "./browser/connect-persistent.js";
export { PersistentConnection } from "./reconnect/persistent/persistent-connection.js";
export type { PersistentSendOptions } from "./reconnect/persistent/persistent-connection.js";
export type {
  OpenContext,
  PersistentOptions,
  SessionOptions,
} from "./reconnect/persistent/persistent-options.js";
export type {
  ClosedStatus,
  ClosingStatus,
  ConnectingStatus,
  OpenStatus,
  PersistentEventName,
  PersistentEvents,
  PersistentListener,
  PersistentStatus,
  Since,
  WaitingStatus,
} from "./reconnect/persistent/status.js";
export { NotSentError } from "./connection/sending/not-sent-error.js";
export type { NotSentOutcome, NotSentReason } from "./connection/sending/not-sent-error.js";
export { reconnect } from "./browser/reconnect.js";
export type { ReconnectOptions } from "./browser/reconnect.js";
export type { ClientBase } from "./reconnect/client-base.js";
export type { PersistOptions } from "./reconnect/retry/persist-options.js";
export type { StreamOptions } from "./reconnect/client-base.js";
export type { ConnectorOptions } from "./reconnect/connector.js";
export type { PerAttemptOptions, ValueOrFactory } from "./reconnect/target.js";
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
  SuspectEvent,
  SuspendedEvent,
  TextEvent,
  UnresponsiveEvent,
} from "./reconnect/events.js";

export { heartbeat, withHeartbeat } from "./reconnect/heartbeat.js";
export type { HeartbeatOptions } from "./reconnect/heartbeat.js";
export { keepalive } from "./reconnect/keepalive.js";
export type { KeepaliveOptions } from "./reconnect/keepalive.js";

export { Connection } from "./connection/connection.js";
export type {
  CallOptions,
  PingOptions,
  ReceiveOptions,
  ReceiveStreamOptions,
  SendOptions,
} from "./connection/connection.js";
export type { Bytes } from "./connection/arguments.js";
export type { CompressionOptions } from "./protocol/deflate/compression-options.js";
export type { CloseCause, CloseEvidence, CloseInfo, Traffic } from "./connection/close-info.js";
export type { Capabilities } from "./connection/capabilities.js";
export { capabilities } from "./browser/capabilities.js";
export { toWebStreams } from "./streams/web-streams.js";
export type { WebStreams } from "./streams/web-streams.js";
export { explain } from "./browser/explain.js";
export type { Fragments } from "./connection/sending/source.js";
export type { HandshakeRequest, HandshakeResponse } from "./connection/handshake-record.js";
export type { Message } from "./connection/reading/inbox.js";
export type { ConnectionState } from "./connection/connection-core.js";
export type { ConnectionEventName, ConnectionEvents, Listener } from "./connection/listeners.js";
export type { ConnectionOptions } from "./connection/options.js";
export type { Address, Logger } from "./connection/ports.js";
export type { LatencyStats } from "./heartbeat/latency-statistics.js";
export type { DetectionOptions } from "./connection/keepalive/detection-options.js";
export type { Suspicion } from "./heartbeat/adaptive-detection.js";
export type { Liveness } from "./heartbeat/signals.js";
export type { TextForm } from "./shared/text-bytes.js";
export { TextBytes } from "./shared/text-bytes.js";
export type { CloseFrame } from "./shared/close-code.js";

export {
  HandshakeError,
  HoldfastError,
  InvalidArgumentError,
  InvalidHeaderError,
  InvalidStateError,
  InvalidStatusError,
  InvalidUpgradeError,
  InvalidURLError,
  MessageTooBigError,
  NegotiationError,
  OpenTimeoutError,
  ProtocolError,
  ProxyError,
  RedirectError,
} from "./shared/errors.js";
export type { HandshakeErrorOptions, HoldfastErrorOptions, OpenFailure, OpenPhase } from "./shared/errors.js";
export {
  ConcurrencyError,
  ConnectionClosed,
  ConnectionClosedError,
  ConnectionClosedOK,
  TooSlowError,
} from "./connection/errors.js";
export { EngineUnavailableError } from "./shared/engine-unavailable-error.js";
export { SessionFencedError, SessionLostError } from "./shared/session-errors.js";
export type { SessionLoss } from "./shared/session-errors.js";
export type {
  ConnectionSession,
  DetachedEvent,
  SessionLostEvent,
  SessionResumedEvent,
} from "./connection/session-state.js";
export { sessionStorageKeep } from "./browser/session-storage-keep.js";
export type { KeptClient, SessionKeep } from "./connection/session-keep.js";
export type { ReadingResumedEvent } from "./connection/listeners.js";
export type { SendUntil } from "./connection/message-transport.js";
