// The least that this load takes: Redis pub/sub by ioredis, and `broadcast()`. All clients are subscribed to everything,
// so it needs no map from topics to connections. No history, no order, nothing that notices a loss.

import { broadcast, serve } from "holdfast";
import { Redis } from "ioredis";
import { announce } from "../support/program.js";
import { fail, onCommand, redisPort, topicNames } from "./support.js";

const publisher = new Redis(redisPort, "127.0.0.1");
const subscriber = publisher.duplicate();
subscriber.on("message", (_channel, text) => broadcast(server.connections, text));
await subscriber.subscribe(...topicNames);
const server = await serve(async (connection) => {
  await connection.send("ready");
  await connection.forEach((message) =>
    onCommand(String(message), (topic, text) => publisher.publish(topic, text).catch(fail)),
  );
});
announce(server.port);
