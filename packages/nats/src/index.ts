/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
// Entry point `@holdfast/nats`.

export { natsEngine } from "./topics/nats-engine.js";
export type { NatsEngineOptions, NatsStorage } from "./options.js";
export { natsSessionStore } from "./sessions/nats-session-store.js";
