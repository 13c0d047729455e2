import { type Workload } from "../workload.js";

// With few connections, the growth of the process itself (compiled code, pools) is a large part of each
// connection's share, so the quick load only shows a tendency.
export const idleMemory: Workload = {
  id: "M1",
  title: "10,000 idle connections after one message each",
  label: "memory, idle",
  load: { kind: "idle", connections: 10_000 },
  quick: {
    title: "4,000 idle connections after one message each (reduced: no bar)",
    load: { kind: "idle", connections: 4_000 },
  },
  bars: [
    { kind: "limit", peer: "holdfast", atMost: 7.5 * 1024 },
    { kind: "ratio", peer: "holdfast", base: "ws-keepalive", atLeast: 1 },
  ],
};
