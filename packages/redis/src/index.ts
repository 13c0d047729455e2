/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
// Entry point `@holdfast/redis`.

export { redisEngine } from "./topics/redis-engine.js";
export type { Durability, RedisEngineOptions } from "./options.js";
export type { RedisClient } from "./client/connector.js";
export { redisSessionStore } from "./sessions/redis-session-store.js";
export type { RedisSessionStoreOptions } from "./sessions/redis-session-store.js";
