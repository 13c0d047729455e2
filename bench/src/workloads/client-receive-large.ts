import { beatsWs, type Workload } from "../workload.js";

export const clientReceiveLarge: Workload = {
  id: "K8",
  title: "client: 1 MiB binary received, 1 connection",
  label: "client: receive 1 MiB",
  load: { kind: "client", work: "receive", payload: "binary", size: 1_048_576, connections: 1, depth: 1 },
  bars: [beatsWs(1)],
};
