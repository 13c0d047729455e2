// A server sends a hundred messages and closes. Clients of every kind answer each message.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, connect, reconnect, serve, type CloseInfo, type Connection } from "../../build/index.js";
import { connectInWorker } from "../transport/worker/patient-connect.js";

const COUNT = 100;

async function answer(connection: Pick<Connection, "send">, message: unknown): Promise<void> {
  if (Number(message) % 20 === 0) await sleep(1);
  await connection.send(`re ${String(message)}`);
}

async function iterate(connection: Connection): Promise<void> {
  for await (const message of connection) await answer(connection, message);
}

const CLIENTS: readonly (readonly [string, (url: string, options: object) => Promise<unknown>])[] = [
  ["connect()", async (url, options) => iterate(await connect(url, options))],
  [
    "connect() and a loop of recv()",
    async (url, options) => {
      const connection = await connect(url, options);
      try {
        for (;;) await answer(connection, await connection.recv());
      } catch {
        return;
      }
    },
  ],
  [
    "connect() and forEach()",
    async (url, options) => {
      const connection = await connect(url, options);
      await connection.forEach((message) => answer(connection, message));
    },
  ],
  ["connectInWorker()", async (url, options) => iterate(await connectInWorker(url, options))],
  [
    "reconnect()",
    async (url, options) => {
      for await (const connection of reconnect(url, options)) {
        await iterate(connection);
        break;
      }
    },
  ],
  [
    "Client",
    async (url, options) => {
      const client = new Client(url, options);
      for await (const event of client) if (event.type === "text") await answer(client, event.text);
    },
  ],
];

describe("a server that sends and closes", () => {
  for (const compression of [false, true]) {
    for (const [what, run] of CLIENTS) {
      const how = compression ? ", compressed" : "";
      test(`D10: receives every answer of ${what}${how}`, async () => {
        let resolve: (outcome: readonly [CloseInfo, string[]]) => void = () => undefined;
        const promise = new Promise<readonly [CloseInfo, string[]]>((settle) => (resolve = settle));
        const handler = async (connection: Connection): Promise<void> => {
          for (let index = 0; index < COUNT; index++) void connection.send(String(index));
          const closing = connection.close();
          const answers: string[] = [];
          for await (const message of connection) answers.push(String(message));
          resolve([await closing, answers]);
        };
        const options = { compression: compression && { threshold: 0 } };
        await using server = await serve(handler, { host: "127.0.0.1", ...options });
        await run(server.url, options);
        const [info, answers] = await promise;
        assert.deepEqual(
          answers,
          Array.from({ length: COUNT }, (_, index) => `re ${index}`),
        );
        assert.equal(info.ok, true);
      });
    }
  }
});
