/// <reference lib="esnext.disposable" preserve="true" />
// Entry point `holdfast/topics` for browsers: the client's half.

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
