/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
// The public surface for Node.js, Bun and Deno. Above it, what its declarations need of a compiler that includes neither.

export { connect } from "./client/connect.js";
export type { ConnectOptions } from "./client/options.js";
export { connectInWorker } from "./client/connect-in-worker.js";
export type { ConnectInWorkerOptions } from "./client/connect-in-worker.js";
export { WorkerError } from "./worker/worker-error.js";
export type { ConnectionTarget, CreateConnection } from "./client/road/given-stream.js";
export type { ProxyOptions, RoadOptions } from "./client/road/options.js";
export { Client } from "./client/client.js";
export type { ClientOptions } from "./client/client.js";
export { reconnect } from "./client/reconnect.js";
export type { ReconnectOptions } from "./client/reconnect.js";
export { connectPersistent } from "./client/connect-persistent.js";
export type { ConnectPersistentOptions } from "./client/connect-persistent.js";
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
export { broadcast } from "./server/broadcast.js";
export type { BroadcastOptions, BroadcastResult, SlowPolicy } from "./server/broadcast.js";
export { basicAuth } from "./server/basic-auth.js";
export type { BasicAuthOptions, Guard } from "./server/basic-auth.js";
export { serve } from "./server/serve.js";
export { attach } from "./server/attach.js";
export type { AttachOptions } from "./server/attach.js";
export type { PathFilter } from "./server/attaching/path-filter.js";
export type { ServeOptions, ServerOptions } from "./server/options.js";
export type { RequestAnswer, UpgradeGrant } from "./server/request/request-answer.js";
export type { TrustProxy } from "./server/forwarding/trust.js";
export type { LimitName, LimitOptions } from "./server/limits/limit-options.js";
export { Server } from "./server/server.js";
export type { ServerCloseOptions } from "./server/server.js";
export type { ConnectionHandler, RequestHandler, ServerConnection } from "./server/handler-runs.js";
export { ServerRequest } from "./server/request/server-request.js";

export { heartbeat, withHeartbeat } from "./persist/heartbeat.js";
export type { HeartbeatOptions } from "./persist/heartbeat.js";
export { keepalive } from "./persist/keepalive.js";
export type { KeepaliveOptions } from "./persist/keepalive.js";

export { Connection } from "./connection/connection.js";
export type { CallOptions, PingOptions, ReceiveOptions, SendOptions } from "./connection/connection.js";
export type { Bytes } from "./connection/arguments.js";
export type { CompressionOptions } from "./connection/compression-options.js";
export type { CloseCause, CloseEvidence, CloseInfo, Traffic } from "./connection/close-info.js";
export type { Capabilities } from "./connection/capabilities.js";
export { capabilities } from "./node/capabilities.js";
export { explain } from "./connection/explain/explain.js";
export type { Fragments } from "./connection/fragmented-send.js";
export type { HandshakeRequest, HandshakeResponse } from "./connection/handshake-record.js";
export type { Message } from "./connection/inbox.js";
export type { ConnectionState } from "./connection/link.js";
export type { ConnectionEventName, ConnectionEvents, Listener } from "./connection/listeners.js";
export type { ConnectionOptions } from "./connection/options.js";
export type { Address, Logger } from "./connection/ports.js";
export type { DiagnosticsMessages } from "./node/channels.js";
export type { LatencyStats } from "./heartbeat/latency-statistics.js";
export type { Liveness } from "./heartbeat/signals.js";
export { TextBytes } from "./protocol/message/text-bytes.js";
export type { CloseFrame } from "./protocol/close-code.js";
export type { ObservedFrame } from "./protocol/frame/observed-frame.js";
export type { HeadersInput } from "./protocol/handshake/header-input.js";
export type { AllowedOrigins } from "./protocol/handshake/origin.js";

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
export type { OpenFailure, OpenPhase, ProxyAnswer } from "./protocol/errors.js";
export {
  ConcurrencyError,
  ConnectionClosed,
  ConnectionClosedError,
  ConnectionClosedOK,
  TooSlowError,
} from "./connection/errors.js";
