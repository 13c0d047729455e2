import { WebSocket } from "holdfast/websocket";
import { runWebSocketClient } from "./support/websocket-client.js";

await runWebSocketClient(WebSocket); // It has the same interface.
