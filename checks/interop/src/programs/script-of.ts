// Extracts the script from the path of a URL.

import type { Script } from "../peers/peer.js";

/** A script, and the id for the reports about its connection. */
export type NamedScript = Script & { readonly id: string };

/** The script in a URL or in its path. */
export function scriptOf(target: string): NamedScript {
  const { pathname } = new URL(target, "ws://any");
  return JSON.parse(decodeURIComponent(pathname.slice(1))) as NamedScript; // peers/pair.ts wrote it.
}
