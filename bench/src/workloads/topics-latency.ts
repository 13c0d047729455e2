import type { Workload } from "../workload.js";

// From the call in one process to the client of another.
export const topicsLatency: Workload = {
  id: "T2",
  title: "100 B text on 50 topics, 3 processes on one Redis, 1,000 messages a second one at a time",
  label: "topics, one message at a time",
  load: {
    ...{ kind: "cluster", work: "latency", processes: 3, topics: 50, connections: 3 },
    ...{ batch: 1, size: 100 },
  },
  base: "socket.io-redis-streams",
  bars: [{ kind: "latency", peer: "holdfast", p50: 1, p99: 5 }],
};
