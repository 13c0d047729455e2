import { beatsWs, type Workload } from "../workload.js";

export const clientEcho: Workload = {
  id: "K2",
  title: "client: echo of 64 B text, 50 connections, depth 1",
  label: "client: 64 B echo, 50 × 1",
  load: { kind: "client", work: "echo", payload: "text", size: 64, connections: 50, depth: 1 },
  bars: [beatsWs(1.15)],
};
