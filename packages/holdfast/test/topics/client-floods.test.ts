// Clients that send more requests about topics than they should: what a server holds for them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { coreOf } from "../../build/connection/core-of.js";
import { MARK, Process, sent } from "./fake-process.js";

test("M7: a client that does not read the answers to its requests gets no more, and is closed with 1013", async () => {
  const process = new Process();
  const link = process.peer({ link: true, capacity: 0, writeLimit: 4_096 });
  let decided = 0;
  process.topics.open(link.connection, { authorize: () => ++decided < 0 });
  for (let id = 0; link.connection.state === "open" && id < 20_000; id++) {
    link.deliver(link.text(`${MARK}sub ${id} t`));
    if (id % 100 === 0) await process.settle();
  }
  assert.equal(link.connection.state, "closing");
  assert.ok(decided < 500, `${decided} requests were decided`);
  link.transport.drain();
  await process.settle();
  assert.equal(sent(link).at(-1), "close 1013");
});

test("M7: reading pauses while messages to publish wait for a decision, and nothing is lost", async () => {
  const process = new Process();
  const link = process.peer({ link: true });
  const decisions: ((isAllowed: boolean) => void)[] = [];
  const publish = (): Promise<boolean> => new Promise((resolve) => decisions.push(resolve));
  process.topics.open(link.connection, { authorize: () => true, publish });
  const core = coreOf(link.connection);
  const data = "x".repeat(500_000);
  let published = 0;
  while (core.pauseReasons.length === 0 && published < 20)
    link.deliver(link.text(`${MARK}pub ${++published} t\n${data}`));
  assert.deepEqual([core.pauseReasons, published], [["topics"], 5]);
  link.deliver(link.binary(new Uint8Array(1)), link.text(`${MARK}unsub 6 t`));
  for (let turn = 0; turn < published; turn++) {
    await process.settle();
    decisions.shift()?.(turn > 0);
  }
  await process.settle();
  assert.deepEqual(core.pauseReasons, []);
  const answers = sent(link).map((text) => text.split(" ", 3).slice(0, 3).join(" "));
  assert.deepEqual(answers, [
    "^topics",
    "^failed 1 forbidden",
    "^done 2 -",
    "^done 3 -",
    "^done 4 -",
    "^done 5 -",
    "^done 6",
  ]);
});
