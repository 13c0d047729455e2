// Topics of `holdfast serve --topics`: in memory, and every client may publish and subscribe.

import { createTopics, type Topics } from "../../topics.js";
import type { Arguments } from "../arguments/arguments.js";
import { UsageError } from "../arguments/usage-error.js";

/**
 * Null without `--topics`.
 * @throws UsageError if other machines could use them, and the user did not say so
 */
export function topicsFrom(given: Arguments, host: string): Topics | null {
  const isForAnyone = given.has("allow-anyone");
  if (!given.has("topics")) {
    if (isForAnyone) throw new UsageError("`--allow-anyone` is for `--topics`: add it.");
    return null;
  }
  if (!isForAnyone && !isLoopback(host)) {
    throw new UsageError(
      `\`--topics\` lets every client publish and subscribe, and other machines can reach ${host}. Add \`--allow-anyone\` if you want that.`,
    );
  }
  return createTopics({ history: true });
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
