import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { Aedes } from "aedes";
import { serve, type Connection } from "holdfast";
import mqtt from "mqtt";
import type { Library } from "./library.js";

export const mqttJs: Library = {
  row: "MQTT.js",
  packageName: "mqtt",
  withoutSessions: null,
  note: "with `forceNativeWebSocket: true`",
  async run(Class) {
    const broker = await Aedes.createBroker();
    const server = await serve(
      async (connection) => {
        broker.handle(streamOf(connection), undefined);
        await new Promise((resolve) => connection.signal.addEventListener("abort", resolve));
      },
      { host: "127.0.0.1", subprotocols: ["mqtt"], sessions: true },
    );
    const client = await mqtt.connectAsync(server.url, {
      forceNativeWebSocket: true,
      createWebsocket: (url, protocols) => new Class(url, protocols),
      reconnectPeriod: 0,
    });
    const received = new Promise<string>((resolve) => {
      client.on("message", (topic, payload) => resolve(`${topic}: ${payload.toString()}`));
    });
    await client.subscribeAsync("news/#", { qos: 1 });
    await client.publishAsync("news/today", "hello", { qos: 1 });
    assert.equal(await received, "news/today: hello");
    await client.endAsync();
    await new Promise<void>((resolve) => broker.close(resolve));
    await server.close();
  },
};

function streamOf(connection: Connection): Duplex {
  const stream = new Duplex({
    read: () => undefined,
    write(chunk: Uint8Array, _, callback) {
      connection.send(chunk).then(() => callback(), callback);
    },
    final(callback) {
      void connection.close().then(() => callback());
    },
    destroy(error, callback) {
      connection.terminate();
      callback(error);
    },
  });
  void connection.forEach((message) => void stream.push(message)).then(() => stream.push(null));
  return stream;
}
