// The client options `requireSubprotocol` and `linkProtocol: "required"`.

import { isReservedSubprotocol } from "./link-subprotocol.js";
import { quoteAll } from "./quote.js";

const NO_LINK =
  'Expected the server to speak the link protocol (linkProtocol: "required"), got a server that does not. Connect to a Holdfast server, or set `linkProtocol: true`.';

/**
 * The error message if the server selects no subprotocol.
 * @param offered the names that the client offered, those of the link protocol included
 */
export function noneSelected(offered: readonly string[]): string {
  const subprotocols = offered.filter((name) => !isReservedSubprotocol(name));
  if (subprotocols.length === 0) return NO_LINK;
  return `Expected the server to select one of ${quoteAll(subprotocols)} (requireSubprotocol), got none. Have the server speak one of them, or leave out \`requireSubprotocol\`.`;
}
