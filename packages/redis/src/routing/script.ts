// A Lua script, which Redis runs atomically. Redis forgets scripts at a restart, a failover or SCRIPT FLUSH; the whole
// text is then sent again.

import { createHash } from "node:crypto";

export interface Script {
  readonly source: string;
  readonly hash: string;
}

export function script(...parts: readonly string[]): Script {
  const source = parts.join("\n");
  return { source, hash: createHash("sha1").update(source).digest("hex") };
}
