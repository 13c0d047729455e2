// One of the chat's processes, and all that an application has to write. Rooms are topics on Redis; sessions are kept in
// Redis as well, so that any other process can take over a client of a process that was killed.
//
//   REDIS_URL=redis://localhost PORT=8081 NAME="server 1" node chat-server.js

import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { redisEngine, redisSessionStore } from "@holdfast/redis";
import { serve, type HandshakeRequest, type Message, type ServerConnection } from "holdfast";
import { createTopics, EngineUnavailableError, type Member } from "holdfast/topics";
import {
  isRoom,
  ROOMS,
  type Person,
  type Post,
  type Reply,
  type Request,
  type Room,
  type ServerIdentity,
} from "./protocol.js";

const { REDIS_URL = "redis://localhost", HOST, PORT = "8081", NAME = "server 1" } = process.env;
const identity: ServerIdentity = { name: NAME, pid: process.pid };

const client = new Redis(REDIS_URL);
client.on("error", (error) => console.error(`${NAME}: ${error.message}`));
const engine = redisEngine({ client });
const store = redisSessionStore({ client });
const topics = createTopics({ engine, history: { messages: 1_000, age: 3_600_000 } });

const server = await serve(handle, {
  ...(HOST === undefined ? {} : { host: HOST }),
  port: Number(PORT),
  maxMessageSize: 4_096,
  sessions: {
    store,
    durability: "message",
    acknowledge: "handled",
    retain: 15_000,
  },
});

/** The people in each room, on all servers. */
const people = new Map<Room, readonly Person[]>();
try {
  for (const room of ROOMS) {
    const watch = () =>
      topics.watch(presenceOf(room), ({ members }) => {
        people.set(room, members.map(personOf));
        server.broadcast(peopleIn(room), { slow: "skip" });
      });
    await onceRedisAnswers(watch);
  }
} catch (error) {
  console.error(`${NAME} cannot start: ${(error as Error).message}`); // Of the engine.
  process.exit(1);
}
console.log(`${NAME} listens on ${server.url}`);
process.send?.("ready");

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop());
process.once("disconnect", () => void stop()); // The program that started it has ended.

async function handle(connection: ServerConnection): Promise<void> {
  const name = nameOf(connection.request);
  let entered: Room | null = null;
  topics.open(connection, { authorize: (_, topic) => isRoom(topic) });
  await reply(connection, { type: "welcome", server: identity, you: connection.id });
  for (const room of ROOMS) await connection.send(peopleIn(room));

  await connection.forEach(async (message) => {
    const request = parse(message);
    if (request === null) {
      await connection.close(1008, "Not a message of this chat");
    } else if (request.type === "say") {
      await publish(connection, request.room, { ...request.post, from: name });
    } else if (request.room !== entered) {
      if (entered !== null) await topics.unsubscribe(connection, presenceOf(entered));
      entered = request.room;
      await topics.subscribe(connection, presenceOf(entered), { presence: { name, server: identity } });
    }
  });
}

/** With its id, a message is published once, however often this is tried and by whichever server. */
async function publish(connection: ServerConnection, room: Room, post: Post): Promise<void> {
  const publishOnce = () => topics.publish(room, JSON.stringify(post), { id: post.id });
  await onceRedisAnswers(publishOnce, () => !connection.signal.aborted);
}

async function onceRedisAnswers(call: () => Promise<unknown>, mayGoOn = () => true): Promise<void> {
  while (mayGoOn()) {
    try {
      await call();
      return;
    } catch (error) {
      if (!(error instanceof EngineUnavailableError)) throw error;
      await sleep(500);
    }
  }
}

/** Members of this topic are in the room. It carries no messages. */
function presenceOf(room: Room): string {
  return `people in ${room}`;
}

function personOf({ id, data }: Member): Person {
  return { id, ...(data as Pick<Person, "name" | "server">) }; // Only chat servers write it, in handle().
}

function peopleIn(room: Room): string {
  return JSON.stringify({ type: "people", room, people: people.get(room) ?? [] } satisfies Reply);
}

function reply(connection: ServerConnection, message: Reply): Promise<void> {
  return connection.send(JSON.stringify(message));
}

function nameOf({ target }: HandshakeRequest): string {
  const name = new URL(target, "ws://chat").searchParams.get("name")?.trim().slice(0, 24);
  return name === undefined || name === "" ? "somebody" : name;
}

/** Null for anything but a request. */
function parse(message: Message): Request | null {
  const request = object(json(message));
  const { type, room } = request;
  if (!isRoom(room)) return null;
  if (type === "enter") return { type, room };
  const { id, text, number } = object(request["post"]);
  if (type !== "say" || typeof id !== "string" || id === "" || id.length > 64) return null;
  if (typeof text !== "string" || text === "" || text.length > 500) return null;
  return {
    type,
    room,
    post: { id, from: "", text, ...(Number.isSafeInteger(number) ? { number: Number(number) } : {}) },
  };
}

function json(message: Message): unknown {
  try {
    return typeof message === "string" ? JSON.parse(message) : null;
  } catch {
    return null;
  }
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return Object(value) as Readonly<Record<string, unknown>>;
}

async function stop(): Promise<void> {
  await server.close();
  await topics.close();
  await store[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
  client.disconnect();
  if (process.connected) process.disconnect(); // The channel to the program that started it keeps this one alive.
}
