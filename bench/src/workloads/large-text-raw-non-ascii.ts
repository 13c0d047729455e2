import type { Workload } from "../workload.js";

export const largeTextRawNonAscii: Workload = {
  id: "M8",
  title: "1 MiB text that is not ASCII handed on as bytes, 4 connections, depth 1",
  label: "the same, not ASCII",
  load: { kind: "echo", payload: "non-ascii", size: 1_048_576, connections: 4, depth: 1 },
  bars: [{ kind: "ratio", peer: "holdfast-raw-text", base: "ws", atLeast: 3.5 }],
};
