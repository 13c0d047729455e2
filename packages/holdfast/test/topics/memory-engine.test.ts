import { describe, test } from "node:test";
import { createTopics } from "holdfast/topics";
import { activeResources, assertNothingLeft, FakeClock, SeededRandom } from "holdfast-testkit";
import { Runtime } from "../../build/connection/runtime.js";
import { MemoryEngine } from "../../build/topics/memory/memory-engine.js";
import { assertClosed, testEngine } from "./engine-contract.js";

testEngine("in memory", ["beginnings"], () => {
  const clock = new FakeClock();
  const engine = new MemoryEngine(new Runtime(clock, new SeededRandom()));
  return {
    open: () => engine,
    advance: (milliseconds) => clock.advance(milliseconds),
    close: () => undefined,
  };
});

describe("The memory engine", () => {
  test("M1: expired messages and ids do not keep the process alive until they are removed", async () => {
    const before = activeResources();
    await using topics = createTopics({ history: true });
    await topics.publish("a", "text", { id: "1" });
    await assertNothingLeft(before); // Although the topics are open.
  });

  test("M8: once disposed, it rejects each call, and nothing was sent", async () => {
    await assertClosed(new MemoryEngine(new Runtime(new FakeClock(), new SeededRandom())));
  });
});
