import type { Workload } from "../workload.js";

// A message takes a tenth of a second: 10 of them are too few to compile the code, and 20 to find the cost, as one major
// collection of garbage takes as long as one or two.
export const topicsFanOut: Workload = {
  id: "T3",
  title: "256 B on a topic over Redis to 10,000 connections of one process",
  label: "a topic to 10,000",
  load: { kind: "broadcast", size: 256, connections: 10_000, burst: 1 },
  quick: {
    title: "256 B on a topic over Redis to 1,000 connections of one process (reduced: no bar)",
    load: { kind: "broadcast", size: 256, connections: 1_000, burst: 1 },
  },
  timing: { warmup: 4_000, duration: 6_000 },
  base: "holdfast",
  peers: ["holdfast", "holdfast-topics"],
  bars: [{ kind: "ratio", peer: "holdfast-topics", base: "holdfast", atLeast: 0.95, rounds: 7 }],
};
