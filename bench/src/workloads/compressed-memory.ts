import type { Workload } from "../workload.js";

export const compressedMemory: Workload = {
  id: "M2",
  title: "2,000 idle connections with permessage-deflate after 24 messages each",
  label: "memory, compression",
  load: { kind: "idle", connections: 2_000, messages: 24, compression: "context" },
  bars: [
    { kind: "limit", peer: "holdfast", atMost: 60 * 1024 },
    { kind: "ratio", peer: "holdfast", base: "ws", atLeast: 1 },
  ],
};
