// Which of a client's offers of compression a server accepts: a limit that it sets explicitly has to be allowed.

import type { DeflateOptions } from "./options.js";

/** The acceptable ones of the offers in Sec-WebSocket-Extensions; null if there is none. */
export function acceptableOffers(header: string, options: DeflateOptions): string | null {
  const offers = header.split(",").filter((offer) => isAcceptable(offer, options));
  return offers.length === 0 ? null : offers.join(",");
}

function isAcceptable(
  offer: string,
  { serverNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits }: DeflateOptions,
): boolean {
  if (serverNoContextTakeover === false && /;\s*server_no_context_takeover/.test(offer)) return false;
  const server = bitsIn(offer, "server_max_window_bits");
  if (server !== null && (serverMaxWindowBits === false || Number(serverMaxWindowBits) > server))
    return false;
  const client = bitsIn(offer, "client_max_window_bits");
  return typeof clientMaxWindowBits !== "number" || (client !== null && clientMaxWindowBits <= client);
}

/** Infinity if the parameter has no value; null if it is missing. */
function bitsIn(offer: string, name: string): number | null {
  const match = new RegExp(`;\\s*${name}(?:\\s*=\\s*"?(\\d+))?`).exec(offer);
  if (match === null) return null;
  const [, bits = Infinity] = match as readonly (string | undefined)[];
  return Number(bits);
}
