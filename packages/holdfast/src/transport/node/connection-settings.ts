// The settings of a connection in Node.js, with the code that pages leave out or load on demand.

import { checkCompression } from "../../protocol/deflate/compression-options.js";
import { ConnectionLog } from "../../connection/log/connection-log.js";
import {
  checkConnectionOptions,
  type ConnectionOptions,
  type ConnectionSettings,
} from "../../connection/options.js";
import { AdaptiveDetection } from "../../heartbeat/adaptive-detection.js";
import { nodePlatform } from "./node-platform.js";

/** @throws InvalidArgumentError that names the option, the expected value and the actual one */
export function checkNodeOptions(options: ConnectionOptions): ConnectionSettings {
  const compression = checkCompression(options.compression);
  return checkConnectionOptions(options, nodePlatform, {
    compression,
    log: ConnectionLog,
    adaptive: AdaptiveDetection,
  });
}
