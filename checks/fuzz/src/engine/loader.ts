// Hooks of Node's module loader (node:module) that instrument the library's modules as they are loaded.

import { readFileSync } from "node:fs";
import type { LoadHook } from "node:module";
import { instrument } from "./instrument.js";

const LIBRARY = /\/packages\/holdfast\/build\/.*\.js$/;

let edge = 0;

export const load: LoadHook = (url, context, nextLoad) => {
  if (!LIBRARY.test(url)) return nextLoad(url, context);
  const source = instrument(readFileSync(new URL(url), "utf8"), () => edge++);
  return { format: "module", source, shortCircuit: true };
};
