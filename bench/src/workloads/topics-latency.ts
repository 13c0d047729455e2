import type { Workload } from "../workload.js";

// From the call in one process to the client of another. In its first seconds, a process with so few messages spends a
// tenth of a core on compiling them, and five processes share two cores: without a longer warm-up, the slowest
// hundredth of the messages are those that wait for a compiler. So there are also more messages to find it from.
export const topicsLatency: Workload = {
  id: "T2",
  title: "100 B text on 50 topics, 3 processes on one Redis, 1,000 messages a second one at a time",
  label: "topics, one message at a time",
  load: {
    ...{ kind: "cluster", work: "latency", processes: 3, topics: 50, connections: 3 },
    ...{ batch: 1, size: 100 },
  },
  quick: {
    title: "100 B text on 50 topics, 3 processes on one Redis, one at a time (reduced: no bar)",
    load: {
      ...{ kind: "cluster", work: "latency", processes: 3, topics: 50, connections: 3 },
      ...{ batch: 1, size: 100 },
    },
  },
  timing: { warmup: 10_000, duration: 5_000 },
  base: "socket.io-redis-streams",
  bars: [{ kind: "latency", peer: "holdfast", p50: 1, p99: 5 }],
};
