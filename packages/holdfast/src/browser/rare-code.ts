// The code that a page loads only for connections with the options `logger`, `heartbeat` or `detection`. It is one file, because each
// file that shares code with the page splits that code once more.

export { ConnectionLog } from "../connection/log/connection-log.js";
export { AdaptiveDetection } from "../heartbeat/adaptive-detection.js";
export { withHeartbeatMessages } from "../transport/browser/heartbeat-messages.js";
