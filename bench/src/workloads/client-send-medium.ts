import { beatsWs, type Workload } from "../workload.js";

export const clientSendMedium: Workload = {
  id: "K4",
  title: "client: 4 KiB binary sent, 1 connection",
  label: "client: send 4 KiB",
  load: { kind: "client", work: "send", payload: "binary", size: 4096, connections: 1, depth: 1 },
  bars: [beatsWs(5)],
};
