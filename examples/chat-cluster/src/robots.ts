// Robots that talk without end, and number what they say, so that everybody can check whether something is missing. Each
// is a client as any other.

import { setTimeout as sleep } from "node:timers/promises";
import { connectPersistent, NotSentError, type PersistentConnection } from "holdfast";
import type { Post, Request, Room } from "./protocol.js";

const NAMES = ["Ada", "Brook", "Curie"];

/** Milliseconds between two messages of a robot. */
const PACES: readonly (readonly [room: Room, pace: number])[] = [
  ["counters", 250],
  ["lobby", 10_000],
];

const LINES = [
  "I am a robot. Kill the process that you are connected to, and keep an eye on the numbers.",
  "Everything said here is in Redis. The processes only pass it on.",
  "The process that I was connected to may be gone by now. I would not have noticed.",
  "My messages are numbered. If one were missing, the page would say so.",
];

/** @returns a function that ends them */
export function startRobots(url: string): () => Promise<void> {
  const run = Date.now().toString(36); // Ids and counts of an earlier run are others.
  const links = NAMES.map((name, index) => {
    const link = connectPersistent(`${url}?name=${name}%20(robot)`, {
      session: true,
      linkProtocol: "required",
      minDelay: 50,
      firstDelay: 200,
      maxDelay: 1_000,
    });
    void link.forEach((message) => {
      if (String(message).includes('"welcome"')) void tell(link, { type: "enter", room: "counters" });
    });
    for (const [room, pace] of PACES) {
      talk(link, { room, pace, prefix: `${run} ${name}`, firstLine: index }).catch((error: unknown) => {
        const hasEnded = link.signal.aborted || (error instanceof NotSentError && error.reason === "closed");
        if (!hasEnded) console.error(error);
      });
    }
    return link;
  });
  return async () => {
    await Promise.all(links.map((link) => link.close()));
  };
}

interface Talk {
  readonly room: Room;
  readonly pace: number;
  /** Begins the ids. */
  readonly prefix: string;
  /** Where a robot begins in the lines. */
  readonly firstLine: number;
}

async function talk(link: PersistentConnection, { room, pace, prefix, firstLine }: Talk): Promise<void> {
  await sleep(Math.random() * pace, undefined, { signal: link.signal });
  for (let number = 1; !link.signal.aborted; number++) {
    const text =
      room === "counters" ? String(number) : (LINES[(firstLine + number - 1) % LINES.length] ?? "");
    const post: Post = { id: `${prefix} ${room} ${number}`, from: "", text, number };
    await say(link, room, post);
    await sleep(pace, undefined, { signal: link.signal });
  }
}

/** If its session is lost, it says the same again: with the same id, it is published once. */
async function say(link: PersistentConnection, room: Room, post: Post): Promise<void> {
  for (;;) {
    try {
      await tell(link, { type: "say", room, post });
      return;
    } catch (error) {
      // For any other reason, such as "closed", the next one would be rejected at once as well.
      if (!(error instanceof NotSentError && error.reason === "session-lost")) throw error;
    }
  }
}

function tell(link: PersistentConnection, request: Request): Promise<void> {
  return link.send(JSON.stringify(request), { until: "delivered" });
}
