import { beatsWs, type Workload } from "../workload.js";

export const handshakeRate: Workload = {
  id: "M3",
  title: "connections accepted and closed, 32 at a time",
  label: "connection opened and closed",
  load: { kind: "handshake", parallel: 32 },
  bars: [beatsWs(1.6)],
};
