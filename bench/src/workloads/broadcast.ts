import { beatsWs, type Workload } from "../workload.js";

// The kernel takes four fifths of a delivery, so libraries cannot differ much.
export const broadcast: Workload = {
  id: "M4",
  title: "broadcast of 256 B to 5,000 connections",
  label: "broadcast to 5,000",
  load: { kind: "broadcast", size: 256, connections: 5_000, burst: 1 },
  quick: {
    title: "broadcast of 256 B to 1,000 connections (reduced: no bar)",
    load: { kind: "broadcast", size: 256, connections: 1_000, burst: 1 },
  },
  bars: [beatsWs(1)],
};
