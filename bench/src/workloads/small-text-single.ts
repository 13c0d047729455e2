import { beatsWs, type Workload } from "../workload.js";

// Bound by the wake-ups of two processes: no library matters much, so this one only guards against a loss.
export const smallTextSingle: Workload = {
  id: "S1",
  title: "64 B text, 1 connection, depth 1",
  label: "64 B text, 1 × 1",
  load: { kind: "echo", payload: "text", size: 64, connections: 1, depth: 1 },
  bars: [beatsWs(0.95)],
};
