// The script that the path of a URL carries.

import type { Script } from "../peers/peer.js";

/** A script, and the id that reports of the connection carry. */
export type NamedScript = Script & { readonly id: string };

/** The script in a URL or in its path. */
export function scriptOf(target: string): NamedScript {
  const { pathname } = new URL(target, "ws://any");
  return JSON.parse(decodeURIComponent(pathname.slice(1))) as NamedScript; // peers/pair.ts wrote it.
}
