// Follows a topic on an engine.

import { setTimeout as sleep } from "node:timers/promises";
import type { Engine, Position, TopicMessage } from "holdfast/topics";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";

export interface Log {
  readonly messages: TopicMessage[];
  gaps: number;
}

/** Follows a topic as topics do: in the order of offsets, reading what is missing. */
export async function follow(engine: Engine, topic: string): Promise<Log> {
  const log: Log = { messages: [], gaps: 0 };
  let position: Position = { epoch: "", offset: 0 };
  let isReading = false;
  let mustRead = false;
  const read = async (): Promise<void> => {
    mustRead = true;
    if (isReading) return;
    isReading = true;
    while (mustRead) {
      mustRead = false;
      try {
        const page = await engine.read(topic, position, 1_000);
        if (!page.isComplete && page.newest !== null) {
          if (position.epoch !== "") log.gaps++;
          const { epoch, offset } = page.newest;
          position = { epoch, offset: (page.messages.at(0)?.offset ?? offset + 1) - 1 };
        }
        page.messages.forEach(push);
      } catch {
        mustRead = true;
        await sleep(50);
      }
    }
    isReading = false;
  };
  const push = (received: TopicMessage): void => {
    const { epoch, offset } = received;
    if (epoch === null || offset === null) return;
    if (position.epoch === "" && offset === 1) position = { epoch, offset: 0 };
    if (epoch !== position.epoch || offset > position.offset + 1) void read();
    else if (offset === position.offset + 1) {
      position = { epoch, offset };
      log.messages.push(received);
    }
  };
  // A busy machine may take longer than the engine waits.
  await eventually(() =>
    engine.listen(topic, push, (newest) => {
      if (newest !== null && (newest.epoch !== position.epoch || newest.offset > position.offset))
        void read();
    }),
  );
  return log;
}
