import { beatsWs, type Workload } from "../workload.js";

export const clientReceiveSmall: Workload = {
  id: "K6",
  title: "client: 64 B text received, 1 connection",
  label: "client: receive 64 B",
  load: { kind: "client", work: "receive", payload: "text", size: 64, connections: 1, depth: 1 },
  bars: [beatsWs(2)],
};
