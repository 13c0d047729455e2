import { beatsWs, type Workload } from "../workload.js";

// Limited by the wake-ups of two processes: the library hardly matters, so this workload only guards against
// regressions.
export const smallTextSingle: Workload = {
  id: "S1",
  title: "64 B text, 1 connection, depth 1",
  label: "64 B text, 1 × 1",
  load: { kind: "echo", payload: "text", size: 64, connections: 1, depth: 1 },
  bars: [beatsWs(0.95)],
};
