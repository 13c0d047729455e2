import assert from "node:assert/strict";
import { HttpTransportType, HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { serve } from "holdfast";
import type { Library } from "./library.js";

const END = "\u001e";

interface HubMessage {
  readonly protocol?: string;
  readonly type?: number;
  readonly invocationId?: string;
  readonly arguments?: readonly unknown[];
}

export const signalR: Library = {
  row: "SignalR",
  packageName: "@microsoft/signalr",
  withoutSessions: null,
  note: "against a scripted server that speaks the JSON hub protocol: there is no .NET here",
  async run(Class) {
    const server = await serve(
      (connection) =>
        connection.forEach(async (message) => {
          for (const text of String(message).split(END).slice(0, -1)) {
            const { protocol, type, invocationId, arguments: values } = JSON.parse(text) as HubMessage;
            if (protocol !== undefined) await connection.send(`{}${END}`);
            if (type !== 1) continue;
            const event = { type: 1, target: "news", arguments: values };
            const completion = { type: 3, invocationId, result: values?.[0] };
            await connection.send([event, completion].map((each) => JSON.stringify(each) + END).join(""));
          }
        }),
      { host: "127.0.0.1", sessions: true },
    );
    const hub = new HubConnectionBuilder()
      .withUrl(server.url.replace("ws", "http"), {
        skipNegotiation: true,
        transport: HttpTransportType.WebSockets,
        ...{ WebSocket: Class }, // Its declarations leave this option out.
      })
      .configureLogging(LogLevel.None)
      .build();
    await hub.start();
    const news = new Promise<unknown>((resolve) => hub.on("news", resolve));
    assert.equal(await hub.invoke("echo", "hello"), "hello");
    assert.equal(await news, "hello");
    await hub.stop();
    await server.close();
  },
};
