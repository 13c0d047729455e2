import { beatsWs, type Workload } from "../workload.js";

// Both use the window and the context takeover that the generator offers, and their own defaults otherwise.
export const compressedJson: Workload = {
  id: "S8",
  title: "1.5 KB JSON, permessage-deflate with context takeover, 50 connections, depth 4",
  label: "JSON deflated, context",
  load: { kind: "echo", payload: "json", size: 1536, connections: 50, depth: 4, compression: "context" },
  bars: [beatsWs(5)],
};
