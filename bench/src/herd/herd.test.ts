import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HOLDFAST, holdfastPages, LAWS } from "./laws.js";
import { OUTAGES, renderHerd } from "./render.js";
import { mostWithin, simulate } from "./simulate.js";

describe("Ten thousand clients that lose their server in the same moment", () => {
  for (const outage of OUTAGES) {
    for (const seed of [1, 2, 3]) {
      for (const law of [HOLDFAST, holdfastPages(10_000)]) {
        test(`F2: after ${outage / 1_000} s without it, no 100 ms hold more than 6 % of them (${law.client}, seed ${seed})`, (t) => {
          const result = simulate(law, { clients: 10_000, outage, seed });
          t.diagnostic(`at most ${(result.peak * 100).toFixed(2)} %`);
          assert.ok(result.peak <= 0.06, `${result.peak}`);
          assert.ok(result.peakAfterReturn <= result.peak);
          // They spread, and are not merely slow: nobody waits longer than the longest delay.
          assert.ok((result.back.all ?? Infinity) <= 30_000, `${result.back.all}`);
        });
      }
    }
  }

  test("F2: if a server sets the width, a lone client reconnects within a tenth of a second", () => {
    const { back } = simulate(holdfastPages(1), { clients: 1, outage: 0, seed: 1 });
    assert.ok((back.all ?? Infinity) <= 100, `${back.all}`);
  });

  test("F2: the window slides: it counts attempts within any 100 ms", () => {
    assert.equal(mostWithin(100, []), 0);
    assert.equal(mostWithin(100, [5]), 1);
    assert.equal(mostWithin(100, [0, 99, 100, 101, 199.5, 300]), 3);
    assert.equal(mostWithin(100, [0, 100, 200, 300]), 1);
  });

  test("F2: clients with a constant delay all reconnect at once", () => {
    const law = { client: "", summary: "", start: () => () => 1_000 };
    assert.deepEqual(simulate(law, { clients: 500, outage: 3_500, seed: 1 }), {
      peak: 1,
      peakAfterReturn: 1,
      attempts: 4,
      back: { half: 500, most: 500, all: 500 },
    });
  });

  test("F2: clients that stop retrying never count as back", () => {
    const law = { client: "", summary: "", start: () => (attempt: number) => (attempt > 2 ? null : 1_000) };
    const { attempts, back } = simulate(law, { clients: 500, outage: 3_500, seed: 1 });
    assert.deepEqual({ attempts, back }, { attempts: 2, back: { half: null, most: null, all: null } });
  });

  test("F2: the table has a row for each client and outage, and is the same for the same seed", () => {
    const table = renderHerd({ clients: 100, seed: 7 });
    assert.equal(table, renderHerd({ clients: 100, seed: 7 }));
    for (const { client } of LAWS) assert.equal(table.split(`\n| ${client} `).length - 1, OUTAGES.length);
  });
});
