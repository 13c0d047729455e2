import { beatsWs, type Workload } from "../workload.js";

export const mediumBinary: Workload = {
  id: "S4",
  title: "4 KiB binary, 100 connections, depth 1",
  label: "4 KiB binary, 100 × 1",
  load: { kind: "echo", payload: "binary", size: 4096, connections: 100, depth: 1 },
  bars: [beatsWs(1.5)],
};
