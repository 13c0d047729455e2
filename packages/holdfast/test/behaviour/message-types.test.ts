// The types of received messages.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { BinaryEvent, Connection, Message, PersistentConnection } from "../../build/index.js";
import { connectionPair } from "../../build/testing.js";
import type { TopicMessage } from "../../build/topics.js";

test("D2: received bytes have the type that Web APIs accept", async () => {
  const { client, server } = connectionPair();
  await client.send(Buffer.from("bytes"));
  const message = await server.recv();
  assert(typeof message !== "string");
  assert.equal(await new Blob([message]).text(), "bytes");
  assert.equal(await new Response(message).text(), "bytes");
  assert.equal((await crypto.subtle.digest("SHA-256", message)).byteLength, 32);
  client.terminate();
});

/** Not called: it only has to compile. */
export async function upload(
  connection: Connection,
  persistent: PersistentConnection,
  event: BinaryEvent,
  topicMessage: TopicMessage,
): Promise<void> {
  const received = [await connection.recv(), await persistent.recv(), event.data, topicMessage.data];
  for await (const piece of connection.recvStream()) received.push(piece);
  await connection.forEach((message) => received.push(message));
  for (const body of received) await fetch("https://example.com", { method: "POST", body });
}
export const messages: Message[] = ["text", new Uint8Array(1), Uint8Array.from([1]), Buffer.from("bytes")];
