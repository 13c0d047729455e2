/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
// Entry point `holdfast` for Node.js, Bun and Deno. The references above are for projects whose compiler includes
// neither by default.

export { connect } from "./client/connect.js";
export type { ConnectOptions } from "./client/options.js";
export { connectInWorker } from "./client/connect-in-worker.js";
export type { ConnectInWorkerOptions } from "./client/connect-in-worker.js";
export { WorkerError } from "./transport/worker/worker-error.js";
export type { ConnectionTarget, CreateConnection } from "./client/dial/custom-stream.js";
export type { ProxyOptions, TransportOptions } from "./client/dial/options.js";
export { Client } from "./client/client.js";
export type { ClientOptions } from "./client/client.js";
export { reconnect } from "./client/reconnect.js";
export type { ReconnectOptions } from "./client/reconnect.js";
export { connectPersistent } from "./client/connect-persistent.js";
export type { ConnectPersistentOptions } from "./client/connect-persistent.js";
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
export { persist } from "./reconnect/persist.js";
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
export { broadcast } from "./server/broadcast.js";
export type { BroadcastOptions, BroadcastResult } from "./server/broadcast.js";
export type { SlowPolicy } from "./connection/sending/slow-policy.js";
export { EngineUnavailableError } from "./shared/engine-unavailable-error.js";
export type { EngineOutcome } from "./shared/engine-unavailable-error.js";
export { basicAuth } from "./server/basic-auth.js";
export type { BasicAuthOptions, Guard, RealmOptions } from "./server/basic-auth.js";
export { serve } from "./server/serve.js";
export { attach } from "./server/attach.js";
export type { AttachOptions } from "./server/attach.js";
export { inspect } from "./server/inspect/inspect.js";
export type { Inspector } from "./server/inspect/inspect.js";
export type { InspectAuthorization, InspectOptions } from "./server/inspect/options.js";
export type { PathFilter } from "./server/attachment/path-filter.js";
export type { ServeOptions, ServerOptions } from "./server/options.js";
export type { RequestAnswer, UpgradeGrant } from "./server/upgrade/request-answer.js";
export type { TrustProxy } from "./server/forwarding/trust.js";
export type { LimitName, LimitOptions } from "./server/limits/limit-options.js";
export { Server } from "./server/server.js";
export type { SessionUsage } from "./server/sessions/session-registry.js";
export type { ServerCloseOptions } from "./server/server.js";
export type { ConnectionHandler, ServerConnection } from "./server/handler-runs.js";
export type {
  ServerSessionOptions,
  SessionAcknowledge,
  SessionDurability,
} from "./server/sessions/session-options.js";
export { fileStore } from "./server/sessions/file-store.js";
export type { FileStoreOptions } from "./server/sessions/file-store.js";
export { memoryStore } from "./session/store/memory-store.js";
export {
  decodeRecord as decodeSessionRecord,
  encodeChanges as encodeSessionChanges,
  encodeRecord as encodeSessionRecord,
} from "./session/store/record-codec.js";
export type { Claim, SessionStore } from "./session/store/session-store.js";
export type { InboxEntry, SessionChange, SessionRecord } from "./session/store/session-record.js";
export type { SavedReceipts } from "./session/receive-ledger.js";
export type { SavedSends } from "./session/send-ledger.js";
export type { SessionIdentity, SessionProof } from "./session/server-session.js";
export type { SessionMessageData } from "./session/session-memory.js";
export { toNodeStream } from "./streams/node-stream.js";
export type { NodeStreamOptions } from "./streams/node-stream.js";
export { toWebStreams } from "./streams/web-streams.js";
export type { WebStreams } from "./streams/web-streams.js";
export { ServerRequest } from "./server/upgrade/server-request.js";
export type { RawRequest, RequestTLS } from "./server/forwarding/request-source.js";

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
export { capabilities } from "./transport/node/capabilities.js";
export { explain } from "./connection/explain/explain.js";
export type { Fragments } from "./connection/sending/source.js";
export type { HandshakeRequest, HandshakeResponse } from "./connection/handshake-record.js";
export type { Message } from "./connection/reading/inbox.js";
export type { ConnectionState } from "./connection/connection-core.js";
export type { ConnectionEventName, ConnectionEvents, Listener } from "./connection/listeners.js";
export type { ConnectionOptions } from "./connection/options.js";
export type { Address, Logger } from "./connection/ports.js";
export type { DiagnosticsMessages } from "./server/server-channels.js";
export type { ConnectionDiagnosticsMessages } from "./transport/node/channels.js";
export type { LatencyStats } from "./heartbeat/latency-statistics.js";
export type { DetectionOptions } from "./connection/keepalive/detection-options.js";
export type { Suspicion } from "./heartbeat/adaptive-detection.js";
export type { Liveness } from "./heartbeat/signals.js";
export type { TextForm } from "./shared/text-bytes.js";
export { TextBytes } from "./shared/text-bytes.js";
export type { CloseFrame } from "./shared/close-code.js";
export type { ObservedFrame } from "./shared/observed-frame.js";
export type { HeadersInput } from "./protocol/handshake/header-input.js";
export type { AllowedHosts } from "./protocol/handshake/hosts.js";
export type { AllowedOrigins } from "./protocol/handshake/origin.js";

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
export type {
  HandshakeErrorOptions,
  HoldfastErrorOptions,
  OpenFailure,
  OpenPhase,
  ProxyAnswer,
} from "./shared/errors.js";
export {
  ConcurrencyError,
  ConnectionClosed,
  ConnectionClosedError,
  ConnectionClosedOK,
  TooSlowError,
} from "./connection/errors.js";
export { SessionFencedError, SessionLostError } from "./shared/session-errors.js";
export type { SessionLoss } from "./shared/session-errors.js";
export type {
  ConnectionSession,
  DetachedEvent,
  SessionLostEvent,
  SessionResumedEvent,
} from "./connection/session-state.js";
export type { KeptClient, SessionKeep } from "./connection/session-keep.js";
export type { ReadingResumedEvent } from "./connection/listeners.js";
export type { SendUntil } from "./connection/message-transport.js";
