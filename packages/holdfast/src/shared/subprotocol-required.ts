// The client option `requireSubprotocol`.

import { quoteAll } from "./quote.js";

/** The error message if the server selects no subprotocol. */
export function noneSelected(subprotocols: readonly string[]): string {
  return `Expected the server to select one of ${quoteAll(subprotocols)} (requireSubprotocol), got none. Have the server speak one of them, or leave out \`requireSubprotocol\`.`;
}
