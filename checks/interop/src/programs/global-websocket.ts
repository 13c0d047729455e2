// The global WebSocket of a runtime as a peer: clients only, as the standard has no servers.

import { forEachURL, report } from "./harness.js";
import { playOnStandardWebSocket } from "./standard-websocket.js";

forEachURL((url, script) => playOnStandardWebSocket(url, script, report));
