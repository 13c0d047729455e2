// The table of sessions against a Map that does the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SessionsById } from "../../../build/server/sessions/sessions-by-id.js";

test("SESSIONS: a session is found by its id until it is deleted, whatever came and went before", () => {
  const steps = fc.array(fc.record({ adds: fc.boolean(), number: fc.nat({ max: 400 }) }), {
    maxLength: 1500,
  });
  fc.assert(
    fc.property(steps, fc.boolean(), (chosen, areSimilar) => {
      const table = new SessionsById<{ readonly id: string }>();
      const expected = new Map<string, { readonly id: string }>();
      for (const { adds, number } of chosen) {
        const id = areSimilar ? COLLIDING[number % COLLIDING.length] : String(number);
        const known = expected.get(id);
        assert.equal(table.find(id), known);
        if (adds) {
          const session = { id };
          table.add(session);
          expected.set(id, session);
        } else {
          table.delete(known ?? { id });
          expected.delete(id);
        }
        assert.equal(table.size, expected.size);
      }
      for (const [id, session] of expected) assert.equal(table.find(id), session);
      assert.deepEqual(new Set(table), new Set(expected.values()));
    }),
    { numRuns: 300 },
  );
});

test("SESSIONS: an ended session does not take its successor of the same id out of the table", () => {
  const table = new SessionsById<{ readonly id: string }>();
  const first = { id: "same" };
  const second = { id: "same" };
  table.add(first);
  table.add(second);
  table.delete(first);
  assert.equal(table.find("same"), second);
  assert.equal(table.size, 1);
});

test("SESSIONS: sessions may end while all of them are visited", () => {
  const table = new SessionsById<{ readonly id: string }>();
  for (let number = 0; number < 1000; number++) table.add({ id: `session ${number}` });
  let visited = 0;
  for (const session of table) {
    table.delete(session);
    visited++;
  }
  assert.equal(visited, 1000);
  assert.deepEqual([...table], []);
});

/** Many of them have the same hash: "Aa" and "BB" have. */
const COLLIDING = Array.from({ length: 128 }, (_, number) =>
  Array.from({ length: 7 }, (_each, bit) => ((number >> bit) % 2 === 0 ? "Aa" : "BB")).join(""),
);
