import { beatsWs, type Workload } from "../workload.js";

export const mediumBinaryPipelined: Workload = {
  id: "S5",
  title: "4 KiB binary, 100 connections, depth 16",
  label: "4 KiB binary, 100 × 16",
  load: { kind: "echo", payload: "binary", size: 4096, connections: 100, depth: 16 },
  bars: [beatsWs(5)],
};
