import type { Workload } from "../workload.js";

// ws delivers text as bytes; in this workload both do.
export const largeTextRaw: Workload = {
  id: "M7r",
  title: "1 MiB ASCII text handed on as bytes, 4 connections, depth 1",
  label: "1 MiB text as bytes",
  load: { kind: "echo", payload: "text", size: 1_048_576, connections: 4, depth: 1 },
  bars: [{ kind: "ratio", peer: "holdfast-raw-text", base: "ws", atLeast: 3.5 }],
};
