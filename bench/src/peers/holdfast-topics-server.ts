// The server of a broadcast, with a topic with history over Redis in the place of `server.broadcast()`.

import { serve } from "holdfast";
import { createTopics } from "holdfast/topics";
import { redisEngine } from "@holdfast/redis";
import { Redis } from "ioredis";
import { redisPort } from "./cluster/support.js";
import { holdfastOptions } from "./support/holdfast-options.js";
import { announce } from "./support/program.js";

const engine = redisEngine({ client: new Redis(redisPort, "127.0.0.1") });
const topics = createTopics({ engine, history: true });
// An async function would keep memory for each connection. The handler of the `broadcast()` server is not async either.
const server = await serve((connection) => {
  void topics.subscribe(connection, "all");
  return connection.forEach((message) => void topics.publish("all", message));
}, holdfastOptions());
announce(server.port);
