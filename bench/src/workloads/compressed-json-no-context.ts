import { beatsWs, type Workload } from "../workload.js";

export const compressedJsonNoContext: Workload = {
  id: "S9",
  title: "1.5 KB JSON, permessage-deflate without context takeover, 50 connections, depth 4",
  label: "JSON deflated, no context",
  load: { kind: "echo", payload: "json", size: 1536, connections: 50, depth: 4, compression: "no-context" },
  bars: [beatsWs(3.5)],
};
