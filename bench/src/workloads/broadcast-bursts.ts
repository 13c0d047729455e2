import { beatsWs, type Workload } from "../workload.js";

// All messages sent in one turn of the event loop go to each connection in one write.
export const broadcastBursts: Workload = {
  id: "M4b",
  title: "broadcast of 256 B to 2,000 connections, in bursts of 10",
  label: "broadcast, bursts of 10",
  load: { kind: "broadcast", size: 256, connections: 2_000, burst: 10 },
  quick: {
    title: "broadcast of 256 B to 500 connections, in bursts of 10 (reduced: no bar)",
    load: { kind: "broadcast", size: 256, connections: 500, burst: 10 },
  },
  bars: [beatsWs(6)],
};
