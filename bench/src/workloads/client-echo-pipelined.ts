import { beatsWs, type Workload } from "../workload.js";

export const clientEchoPipelined: Workload = {
  id: "K1",
  title: "client: echo of 64 B text, 10 connections, depth 16",
  label: "client: 64 B echo, 10 × 16",
  load: { kind: "client", work: "echo", payload: "text", size: 64, connections: 10, depth: 16 },
  bars: [beatsWs(7)],
};
