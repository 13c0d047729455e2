import { runWebSocketClient } from "./support/websocket-client.js";

// The WebSocket of browsers, which Node and Bun have built in.
await runWebSocketClient(WebSocket);
