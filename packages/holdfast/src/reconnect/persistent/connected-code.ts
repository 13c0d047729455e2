// The code that a persistent connection needs once it is connected. A page loads it while its first WebSocket opens.

export { Delivery } from "./delivery.js";
export { OverallLatency } from "./overall-latency.js";
export { SuspicionWatch } from "./suspicion-watch.js";
