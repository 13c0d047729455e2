import { beats, type Workload } from "../workload.js";

export const largeText: Workload = {
  id: "M7",
  title: "1 MiB ASCII text delivered as a string, 4 connections, depth 1",
  label: "1 MiB text as a string",
  load: { kind: "echo", payload: "text", size: 1_048_576, connections: 4, depth: 1 },
  base: "ws-string",
  bars: [beats("ws-string", 2.5)],
};
