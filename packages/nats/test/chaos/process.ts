// One of the processes of the chaos test: a server whose clients subscribe by themselves, and a publisher.

import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "holdfast";
import { createTopics } from "holdfast/topics";
import { natsEngine } from "../../dist/index.js";
import { openConnection } from "../nats-server.js";

const [natsPort, port, name, topicCount, rate] = process.argv.slice(2);

const connection = await openConnection(Number(natsPort));
const topics = createTopics({ engine: natsEngine({ connection }), history: true });
await serve(
  async (peer) => {
    topics.open(peer, { authorize: () => true });
    await peer.closed;
  },
  { port: Number(port), host: "127.0.0.1" },
);
process.send?.("listening");
process.on("disconnect", () => process.exit());

const startedAt = performance.now();
for (let published = 0; ;) {
  const due = ((performance.now() - startedAt) / 1_000) * Number(rate);
  while (published < due) void publish(published++);
  await sleep(10);
}

/** Publishes until it succeeds: with an id, it is delivered once. */
async function publish(index: number): Promise<void> {
  const id = `${name} ${index}`;
  for (;;) {
    try {
      await topics.publish(`topic ${index % Number(topicCount)}`, id, { id });
      return;
    } catch {
      await sleep(100);
    }
  }
}
