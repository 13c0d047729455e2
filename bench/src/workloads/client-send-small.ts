import { beatsWs, type Workload } from "../workload.js";

export const clientSendSmall: Workload = {
  id: "K3",
  title: "client: 64 B text sent, 1 connection",
  label: "client: send 64 B",
  load: { kind: "client", work: "send", payload: "text", size: 64, connections: 1, depth: 1 },
  bars: [beatsWs(12)],
};
