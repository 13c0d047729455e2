import assert from "node:assert/strict";
import { test } from "node:test";
import { allOrNone } from "./all-or-none.js";

test("allOrNone() closes what has started, early or late, if anything does not start", async () => {
  const closed: string[] = [];
  const starting = (name: string, delay: number) =>
    new Promise<{ close(): void }>((resolve) =>
      setTimeout(resolve, delay, { close: () => closed.push(name) }),
    );
  assert.equal((await allOrNone([starting("a", 1), starting("b", 2)])).length, 2);
  assert.deepEqual(closed, []);
  const all = [starting("early", 0), Promise.reject(new Error("no port")), starting("late", 20)];
  await assert.rejects(allOrNone(all), { message: "no port" });
  assert.deepEqual(closed.sort(), ["early", "late"]);
});
