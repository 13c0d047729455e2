/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
// Entry point `holdfast/topics` for Node.js, Bun and Deno.

export { createTopics, memoryEngine } from "./server/create-topics.js";
export { Topics } from "./topics/topics.js";
export type { TopicsEvents } from "./topics/topics-events.js";
export type { TopicsDiagnosticsMessages } from "./topics/diagnostics.js";
export type { Joined } from "./topics/local-topic-handler.js";
export type { OpenOptions } from "./topics/client-requests.js";
export type { HistoryOptions, PublishOptions, SubscribeOptions, TopicsOptions } from "./topics/options.js";
export type { PresenceUpdate } from "./topics/presence-watch.js";
export { DUPLICATE_WINDOW, POSITION_LIFETIME } from "./topics/engine/engine.js";
export type {
  Engine,
  HistoryLimits,
  MessageListener,
  NewestListener,
  Page,
  Publication,
  RequestHandler,
} from "./topics/engine/engine.js";
export type {
  Member,
  PresenceChange,
  PresenceListener,
  PresenceSnapshot,
  PresenceStore,
} from "./topics/engine/presence-store.js";
export type { Position } from "./topics/position.js";
export type { TopicEvent, TopicGap, TopicMessage } from "./topics/topic-event.js";
export { publish, subscribe } from "./topics/client/subscribe.js";
export type {
  ClientPublishOptions,
  ReconnectingLink,
  SubscriptionOptions,
} from "./topics/client/subscribe.js";
export { TopicError } from "./topics/client/topic-error.js";
export type { TopicRefusal } from "./topics/client/topic-error.js";
export type { Published } from "./topics/engine/engine.js";
export { EngineUnavailableError } from "./shared/engine-unavailable-error.js";
export type { EngineOutcome } from "./shared/engine-unavailable-error.js";
