import { beatsWs, type Workload } from "../workload.js";

export const largeBinary: Workload = {
  id: "S7",
  title: "1 MiB binary, 4 connections, depth 1",
  label: "1 MiB binary, 4 × 1",
  load: { kind: "echo", payload: "binary", size: 1_048_576, connections: 4, depth: 1 },
  bars: [beatsWs(3.8)],
};
