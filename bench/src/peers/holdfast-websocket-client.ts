import { WebSocket } from "holdfast/websocket";
import { runWebSocketClient } from "./support/websocket-client.js";

await runWebSocketClient(WebSocket as unknown as typeof globalThis.WebSocket); // It has the same interface.
