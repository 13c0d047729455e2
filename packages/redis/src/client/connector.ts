// Recognises the client that the application passes.

import { InvalidArgumentError } from "holdfast";
import type { Connector } from "./connection.js";
import { IoRedisConnector, type IoRedis, type IoRedisCluster } from "./ioredis.js";
import { NodeRedisConnector, type NodeRedis, type NodeRedisCluster } from "./node-redis.js";

/**
 * A client of the package `ioredis` (`Redis` or `Cluster`) or `redis` (`createClient()` or `createCluster()`). It is only
 * used to make further connections with the same options; it keeps its own state, and may be used for anything else. A
 * cluster of either package has to be connected.
 */
export type RedisClient = IoRedis | IoRedisCluster | NodeRedis | NodeRedisCluster;

/** @throws InvalidArgumentError */
export function connectorOf(client: RedisClient): Connector {
  if (hasMethod(client, "nodes")) return new IoRedisConnector(client as IoRedisCluster);
  if (hasMethod(client, "nodeClient")) return new NodeRedisConnector(client as NodeRedisCluster);
  if (hasMethod(client, "callBuffer")) return new IoRedisConnector(client as IoRedis);
  const isSentinel = hasMethod(client, "getSentinelNode");
  if (hasMethod(client, "sSubscribe") && !isSentinel) return new NodeRedisConnector(client as NodeRedis);
  throw new InvalidArgumentError(
    "Expected `client` to be a client of the package ioredis or redis. Pass what `new Redis()` or `createClient()` returns.",
  );
}

function hasMethod(value: unknown, name: string): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as Readonly<Record<string, unknown>>)[name] === "function"
  );
}
