import type { Workload } from "../workload.js";
import { broadcast } from "./broadcast.js";
import { broadcastBursts } from "./broadcast-bursts.js";
import { clientEcho } from "./client-echo.js";
import { clientEchoPipelined } from "./client-echo-pipelined.js";
import { clientReceiveLarge } from "./client-receive-large.js";
import { clientReceiveMedium } from "./client-receive-medium.js";
import { clientReceiveSmall } from "./client-receive-small.js";
import { clientSendLarge } from "./client-send-large.js";
import { clientSendMedium } from "./client-send-medium.js";
import { clientSendSmall } from "./client-send-small.js";
import { compressedJson } from "./compressed-json.js";
import { compressedJsonNoContext } from "./compressed-json-no-context.js";
import { compressedMemory } from "./compressed-memory.js";
import { handshakeRate } from "./handshake-rate.js";
import { idleMemory } from "./idle-memory.js";
import { keepalive } from "./keepalive.js";
import { largeBinary } from "./large-binary.js";
import { largeTextRawNonAscii } from "./large-text-raw-non-ascii.js";
import { largeTextRaw } from "./large-text-raw.js";
import { largeText } from "./large-text.js";
import { mediumBinary } from "./medium-binary.js";
import { mediumBinaryPipelined } from "./medium-binary-pipelined.js";
import { mediumTextPipelined } from "./medium-text-pipelined.js";
import { smallText } from "./small-text.js";
import { smallTextPipelined } from "./small-text-pipelined.js";
import { smallTextSingle } from "./small-text-single.js";
import { topicsFanOut } from "./topics-fan-out.js";
import { topicsLatency } from "./topics-latency.js";
import { topicsThroughput } from "./topics-throughput.js";

/** In the order of the table. */
export const allWorkloads: readonly Workload[] = [
  smallTextSingle,
  smallText,
  smallTextPipelined,
  mediumBinary,
  mediumBinaryPipelined,
  mediumTextPipelined,
  largeBinary,
  compressedJson,
  compressedJsonNoContext,
  idleMemory,
  compressedMemory,
  handshakeRate,
  broadcast,
  broadcastBursts,
  keepalive,
  largeText,
  largeTextRaw,
  largeTextRawNonAscii,
  clientEchoPipelined,
  clientEcho,
  clientSendSmall,
  clientSendMedium,
  clientSendLarge,
  clientReceiveSmall,
  clientReceiveMedium,
  clientReceiveLarge,
  topicsThroughput,
  topicsLatency,
  topicsFanOut,
];
