// One of the processes of the chaos test: a server whose clients subscribe by themselves, and a publisher.

import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "holdfast";
import { createTopics, type Engine } from "holdfast/topics";

/** @param openEngine opens the engine, whose server listens on this port */
export async function runProcess(openEngine: (port: number) => Engine | Promise<Engine>): Promise<void> {
  const [enginePort, port, name, topicCount, rate] = process.argv.slice(2);
  const topics = createTopics({ engine: await openEngine(Number(enginePort)), history: true });
  await serve(
    async (connection) => {
      topics.open(connection, { authorize: () => true });
      await connection.closed;
    },
    { port: Number(port), host: "127.0.0.1" },
  );
  process.send?.("listening");
  process.on("disconnect", () => process.exit());
  let isQuiet = false;
  process.once("message", () => (isQuiet = true));

  /** Publishes until it succeeds: with an id, it is delivered once. */
  const publish = async (index: number): Promise<void> => {
    const id = `${name} ${index}`;
    for (;;) {
      try {
        await topics.publish(`topic ${index % Number(topicCount)}`, id, { id });
        return;
      } catch {
        await sleep(100);
      }
    }
  };
  const startedAt = performance.now();
  const publications: Promise<void>[] = [];
  while (!isQuiet) {
    const due = ((performance.now() - startedAt) / 1_000) * Number(rate);
    while (publications.length < due) publications.push(publish(publications.length));
    await sleep(10);
  }
  await Promise.all(publications);
  process.send?.("quiet");
}
