// Loads the parts of the library that few programs need.

import { HandshakeError } from "./errors.js";

/**
 * Loads code that few programs need, when they first need it.
 *
 * @throws HandshakeError if it cannot be loaded; the next attempt tries again
 */
export async function loadCode<Code>(what: string, load: () => Promise<Code>): Promise<Code> {
  try {
    return await load();
  } catch (cause) {
    throw new HandshakeError(`Expected to load the code of ${what}, got an error. ${remedy()}`, { cause });
  }
}

/** Advice for code that does not load. */
export function remedy(): string {
  return "ServiceWorkerGlobalScope" in globalThis
    ? "Service workers cannot import code on demand: bundle without splitting the code."
    : "Deploy all files of the bundle.";
}
