import { serve } from "holdfast";
import { createTopics } from "holdfast/topics";
import { redisEngine } from "@holdfast/redis";
import { Redis } from "ioredis";
import { announce } from "../support/program.js";
import { fail, onCommand, redisPort, topicNames } from "./support.js";

const engine = redisEngine({ client: new Redis(redisPort, "127.0.0.1") });
const topics = createTopics({ engine, history: true });
const server = await serve(async (connection) => {
  for (let first = 0; first < topicNames.length; first += 500) {
    const some = topicNames.slice(first, first + 500);
    await Promise.all(some.map((name) => topics.subscribe(connection, name)));
  }
  await connection.send("ready");
  await connection.forEach((message) =>
    onCommand(String(message), (topic, text) => topics.publish(topic, text).catch(fail)),
  );
});
announce(server.port);
