import type { Workload } from "../workload.js";
import { compressedJsonNoContext } from "./compressed-json-no-context.js";
import { compressedJson } from "./compressed-json.js";
import { compressedMemory } from "./compressed-memory.js";
import { handshakeRate } from "./handshake-rate.js";
import { idleMemory } from "./idle-memory.js";
import { largeBinary } from "./large-binary.js";
import { mediumBinaryPipelined } from "./medium-binary-pipelined.js";
import { mediumBinary } from "./medium-binary.js";
import { mediumTextPipelined } from "./medium-text-pipelined.js";
import { smallTextPipelined } from "./small-text-pipelined.js";
import { smallTextSingle } from "./small-text-single.js";
import { smallText } from "./small-text.js";

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
];
