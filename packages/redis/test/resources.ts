// The servers, clients and engines of a test file or suite, which are closed after its tests.

import { after } from "node:test";
import type { Engine } from "holdfast/topics";
import { redisEngine, type RedisClient, type RedisEngineOptions } from "../dist/index.js";
import { openClient, openClusterClient, type ClientName } from "./backends.js";
import { RedisServer, startCluster } from "./redis-server.js";

export interface Resources {
  /** Closes something after the tests, before everything that was added earlier. */
  readonly add: (close: () => unknown) => void;
  /** A server, with these arguments. */
  readonly start: (...args: string[]) => Promise<RedisServer>;
  /** Three masters. */
  readonly startCluster: () => Promise<readonly RedisServer[]>;
  /** An engine with a client of its own. */
  readonly open: (
    server: RedisServer,
    name?: ClientName,
    options?: Partial<RedisEngineOptions>,
  ) => Promise<Engine>;
  readonly openInCluster: (server: RedisServer, name?: ClientName) => Promise<Engine>;
  /** An engine with this client, which `close` closes. */
  readonly engineOf: (
    client: RedisClient,
    close: () => unknown,
    options?: Partial<RedisEngineOptions>,
  ) => Engine;
}

export function useResources(): Resources {
  const closing: (() => unknown)[] = [];
  after(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  const add = (close: () => unknown): void => void closing.push(close);
  const engineOf: Resources["engineOf"] = (client, close, options = {}) => {
    const engine = redisEngine({ client, ...options });
    closing.push(close, () => engine[Symbol.asyncDispose]());
    return engine;
  };
  return {
    add,
    start: async (...args) => {
      const server = await RedisServer.start(...args);
      add(() => server.close());
      return server;
    },
    startCluster: async () => {
      const servers = await startCluster();
      for (const server of servers) add(() => server.close());
      return servers;
    },
    open: async ({ port }, name = "ioredis", options = {}) => {
      const { client, close } = await openClient(name, port);
      return engineOf(client, close, options);
    },
    openInCluster: async ({ port }, name = "ioredis") => {
      const { client, close } = await openClusterClient(name, port);
      return engineOf(client, close);
    },
    engineOf,
  };
}
