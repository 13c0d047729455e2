// The global WebSocket of a runtime as a peer. It is a client only, because the standard has no servers.

import { forEachURL, report } from "./harness.js";
import { playOnStandardWebSocket } from "./standard-websocket.js";

forEachURL((url, script) => playOnStandardWebSocket(url, script, report));
