import { beatsWs, type Workload } from "../workload.js";

// Limited by the kernel: one read and one write per message. Even a server in C only costs half as much as
// ws.
export const smallText: Workload = {
  id: "S2",
  title: "64 B text, 100 connections, depth 1",
  label: "64 B text, 100 × 1",
  load: { kind: "echo", payload: "text", size: 64, connections: 100, depth: 1 },
  bars: [beatsWs(1.05, 9)],
};
