import type { Workload } from "../workload.js";

// The bars of a ping each 5 s instead of 20: a ping costs the same, and the run is shorter. If connections
// open evenly, each tenth of a second would hold 2 % of an interval's pings.
export const keepalive: Workload = {
  id: "M5",
  title: "10,000 connections with keepalive, a ping each 5 s",
  label: "keepalive ping and pong",
  load: { kind: "keepalive", connections: 10_000, interval: 5_000 },
  quick: {
    title: "1,000 connections with keepalive, a ping each second (reduced: no bar)",
    load: { kind: "keepalive", connections: 1_000, interval: 1_000 },
  },
  base: "ws-keepalive",
  bars: [
    { kind: "limit", peer: "holdfast", atMost: 25 },
    { kind: "burst", peer: "holdfast", atMost: 0.03 },
  ],
};
