// Loaded before a fuzzing run (node --import): first the counters, then the hooks that make modules use them.

import "./edges.js";
import { register } from "node:module";

register("./loader.js", import.meta.url);
