// The browser's WebSocket as a client of our server.

import { after, describe } from "node:test";
import { ChromiumPeers } from "./chromium/chromium-peer.js";
import { noteVersion } from "./matrix/test-cell.js";
import { findExecutable, versionOf } from "./peers/executables.js";
import * as common from "./scenes/common-tests.js";
import { testStandardWebSocket } from "./scenes/standard-websocket-tests.js";

const found = findExecutable(["chromium", "chromium-browser", "google-chrome"], {
  variable: "HOLDFAST_CHROMIUM",
  installedBy: "scripts/install-peers.sh browser",
});
const pool = new ChromiumPeers(found.path);
const peer = { name: "Chromium", row: "Chromium", pool, skip: found.skip } as const;
if (found.skip === false) noteVersion(peer.row, versionOf(found.path, ["--version"]));

describe("Chromium", () => {
  after(() => pool[Symbol.asyncDispose]());
  testStandardWebSocket(peer, { compresses: true, echoesReason: true });
  common.testVariant(peer, "client", "TLS", async () => ({ options: { isSecure: true } }));
});
