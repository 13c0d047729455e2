// Sends each message to every connection: blocks of messages in turn by `broadcast()` and on a topic, on the same sockets
// and with the same heap. When asked for, it reports the CPU time of each block.

import { serve, type Server } from "holdfast";
import { createTopics } from "holdfast/topics";
import { redisEngine } from "@holdfast/redis";
import { Redis } from "ioredis";
import { announce } from "../support/program.js";
import { fail, redisPort } from "./support.js";

export interface Block {
  readonly isTopic: boolean;
  readonly cpuMicroseconds: number;
}

/** Messages of a block. */
const SIZE = 4;
const TOPIC = "all";

const blocks: Block[] = [];
let count = 0;
let blockBegan: NodeJS.CpuUsage | null = null;

const engine = redisEngine({ client: new Redis(redisPort, "127.0.0.1") });
const topics = createTopics({ engine, history: true });
const server: Server = await serve(async (connection) => {
  await topics.subscribe(connection, TOPIC);
  await connection.forEach((message) => {
    // The generator sends a message once all connections have received the last one.
    if (count % SIZE === 0) beginBlock();
    if (isTopicAt(Math.floor(count++ / SIZE))) void topics.publish(TOPIC, message).catch(fail);
    else server.broadcast(message);
  });
});
process.on("message", (request) => {
  if (request === "blocks") process.send?.(blocks);
});
announce(server.port);

function beginBlock(): void {
  if (blockBegan !== null) {
    const { user, system } = process.cpuUsage(blockBegan);
    blocks.push({ isTopic: isTopicAt(blocks.length), cpuMicroseconds: (user + system) / SIZE });
  }
  blockBegan = process.cpuUsage();
}

/** One, the other, the other, the one: so that a slowdown of the machine affects both. */
function isTopicAt(block: number): boolean {
  return Math.floor((block + 1) / 2) % 2 === 1;
}
