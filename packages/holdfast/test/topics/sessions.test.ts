import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, FaultProxy } from "holdfast-testkit";
import { connectPersistent, serve } from "holdfast";
import { createTopics, subscribe, type TopicEvent } from "holdfast/topics";

for (const kind of ["text", "binary"] as const) {
  test(`M7, L1: a subscriber with a session gets each ${kind} message once across cuts, and the session's own messages too`, async () => {
    await using topics = createTopics();
    await using server = await serve(
      (connection) => {
        topics.open(connection, { authorize: () => true });
        return connection.forEach((message) => connection.send(message));
      },
      { host: "127.0.0.1", sessions: true },
    );
    await using proxy = await FaultProxy.start({ target: { host: "127.0.0.1", port: server.port } });
    const client = connectPersistent(proxy.url("ws"), { session: true, firstDelay: 1, minDelay: 0 });
    const events: TopicEvent[] = [];
    const reading = (async () => {
      for await (const event of subscribe(client, "news")) events.push(event);
    })();
    const echoes: unknown[] = [];
    void client.forEach((message) => echoes.push(message));
    await eventually(() => client.session !== null, "a session");
    await client.send("first", { until: "delivered" });
    await eventually(() => echoes.length === 1, "an echo");

    const count = 300;
    for (let index = 1; index <= count; index++) {
      const text = `message ${index}`;
      const data = kind === "text" ? text : new TextEncoder().encode(text);
      await topics.publish("news", data, { history: true });
      void client.send(`own ${index}`);
      if (index % 60 === 0) for (const connection of proxy.connections) connection.cut({ kind: "rst" });
      if (index % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await client.send("last", { until: "delivered" });
    const textOf = (event: TopicEvent): string =>
      event.type === "message" ? new TextDecoder().decode(bytesOf(event.data)) : event.type;
    await eventually(
      () => events.length > 0 && textOf(events[events.length - 1] ?? fail()) === `message ${count}`,
      "all",
      30_000,
    );
    await eventually(() => echoes.length === count + 2, "the echoes", 30_000);

    const [first] = events;
    const begun = Number(/\d+/.exec(first === undefined ? "" : textOf(first))?.[0]);
    assert.deepEqual(
      events.map(textOf),
      Array.from({ length: count - begun + 1 }, (_, index) => `message ${begun + index}`),
    );
    assert.deepEqual(
      echoes.slice(1, -1),
      Array.from({ length: count }, (_, index) => `own ${index + 1}`),
    );
    await client.close();
    await reading.catch(() => undefined);
  });
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === "string" ? new TextEncoder().encode(data) : data;
}

function fail(): never {
  throw new Error("there is no event");
}
