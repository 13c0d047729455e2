// The option `requireSubprotocol` of clients. Nothing here may import but what browsers load as well.

import { quoteAll } from "./quote.js";

/** The message where the server selects no subprotocol. */
export function noneSelected(subprotocols: readonly string[]): string {
  return `Expected the server to select one of ${quoteAll(subprotocols)} (requireSubprotocol), got none. Have the server speak one of them, or leave out \`requireSubprotocol\`.`;
}
