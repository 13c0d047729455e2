import { beatsWs, type Workload } from "../workload.js";

// This load benefits from batched writes. The bar between the two holdfast peers is the cost of `for await`.
export const smallTextPipelined: Workload = {
  id: "S3",
  title: "64 B text, 100 connections, depth 16",
  label: "64 B text, 100 × 16",
  load: { kind: "echo", payload: "text", size: 64, connections: 100, depth: 16 },
  bars: [beatsWs(7), { kind: "ratio", peer: "holdfast-for-await", base: "holdfast", atLeast: 0.8 }],
};
