import { beatsWs, type Workload } from "../workload.js";

// holdfast delivers strings and ws delivers buffers: holdfast has to reach the bar although it decodes and
// encodes the text.
export const mediumTextPipelined: Workload = {
  id: "S6",
  title: "4 KiB text, 100 connections, depth 16",
  label: "4 KiB text, 100 × 16",
  load: { kind: "echo", payload: "text", size: 4096, connections: 100, depth: 16 },
  bars: [beatsWs(4)],
};
