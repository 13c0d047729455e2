import assert from "node:assert/strict";
import { test } from "node:test";
import { joinRecordings, type Recording } from "./join.js";
import type { Sample } from "./run.js";

const sample = (round: number, peer: string): Sample => ({
  ...{ workload: "S1", peer, round, measurement: null },
  failure: "not measured",
});

test("the rounds of joined runs follow one another, and differences between runs are reported", () => {
  const first: Recording = {
    setting: ["Node: v20", "Load: 0.1"],
    samples: [sample(0, "ws"), sample(1, "ws")],
  };
  const second: Recording = {
    setting: ["Node: v20", "Load: 0.3"],
    samples: [sample(0, "ws"), sample(0, "net")],
  };
  assert.deepEqual(joinRecordings([first, second]), {
    setting: ["Node: v20", "Load: 0.1 | 0.3", "Runs: 2, joined: 3 rounds"],
    samples: [sample(0, "ws"), sample(1, "ws"), sample(2, "ws"), sample(2, "net")],
  });
});
