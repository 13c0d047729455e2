import assert from "node:assert/strict";
import { serve } from "holdfast";
// @ts-expect-error -- The package has no types.
import { Socket as UntypedSocket } from "phoenix";
import type { Library } from "./library.js";

/** The part of its API that the scene uses. */
interface Socket {
  connect(): void;
  disconnect(callback: () => void): void;
  channel(topic: string, params: object): Channel;
}

interface Channel {
  join(): Push;
  push(event: string, payload: object): Push;
  on(event: string, callback: (payload: unknown) => void): void;
}

interface Push {
  receive(status: string, callback: (response: unknown) => void): Push;
}

const PhoenixSocket = UntypedSocket as new (url: string, options: object) => Socket;

type PhoenixMessage = readonly [
  join: string | null,
  ref: string,
  topic: string,
  event: string,
  payload: unknown,
];

export const phoenix: Library = {
  row: "Phoenix",
  packageName: "phoenix",
  withoutSessions: null,
  note: "against a scripted server that speaks version 2 of its protocol: there is no Elixir here",
  async run(Class) {
    const server = await serve(
      (connection) =>
        connection.forEach(async (message) => {
          const [join, ref, topic, event, payload] = JSON.parse(String(message)) as PhoenixMessage;
          const response = { status: "ok", response: event === "phx_join" ? {} : payload };
          await connection.send(JSON.stringify([join, ref, topic, "phx_reply", response]));
          if (event === "shout")
            await connection.send(JSON.stringify([join, null, topic, "shouted", payload]));
        }),
      { host: "127.0.0.1", sessions: true },
    );
    const socket = new PhoenixSocket(`${server.url}/socket`, { transport: Class });
    socket.connect();
    const channel = socket.channel("room:1", {});
    const shouted = new Promise((resolve) => channel.on("shouted", resolve));
    await reply(channel.join());
    assert.deepEqual(await reply(channel.push("shout", { text: "hello" })), { text: "hello" });
    assert.deepEqual(await shouted, { text: "hello" });
    await new Promise<void>((resolve) => socket.disconnect(resolve));
    await server.close();
  },
};

function reply(push: Push): Promise<unknown> {
  return new Promise((resolve, reject) => {
    push
      .receive("ok", resolve)
      .receive("error", reject)
      .receive("timeout", () => reject(new Error("timeout")));
  });
}
