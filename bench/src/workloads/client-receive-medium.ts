import { beatsWs, type Workload } from "../workload.js";

export const clientReceiveMedium: Workload = {
  id: "K7",
  title: "client: 4 KiB binary received, 1 connection",
  label: "client: receive 4 KiB",
  load: { kind: "client", work: "receive", payload: "binary", size: 4096, connections: 1, depth: 1 },
  bars: [beatsWs(1.15)],
};
