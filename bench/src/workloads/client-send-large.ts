import { beatsWs, type Workload } from "../workload.js";

export const clientSendLarge: Workload = {
  id: "K5",
  title: "client: 1 MiB binary sent, 1 connection",
  label: "client: send 1 MiB",
  load: { kind: "client", work: "send", payload: "binary", size: 1_048_576, connections: 1, depth: 1 },
  bars: [beatsWs(2.8)],
};
