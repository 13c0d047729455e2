// Sockets that have sent no request yet, where a server limits what one address may have open.

import type { Server as Listener, Socket } from "node:net";
import type { Address, Logger } from "../../connection/ports.js";
import { guarded, type ProxyTrust } from "../forwarding/trust.js";
import type { AddressLimits } from "../limits/address-limits.js";

/** Drops what is too much. The sockets of a trusted proxy are not one client's: only its connections count. */
export function limitSockets(
  listener: Listener,
  limits: AddressLimits,
  trust: ProxyTrust | null,
  logger: Logger | null,
): void {
  const trusts = trust === null ? () => false : guarded(trust, logger);
  listener.on("connection", (socket: Socket) => {
    const address = peerOf(socket);
    if (address === null || trusts(address.address, 0)) return;
    if (!limits.addSocket(address)) socket.destroy();
    else socket.once("close", () => limits.removeSocket(address));
  });
}

function peerOf({ remoteAddress, remotePort }: Socket): Address | null {
  return remoteAddress === undefined ? null : { address: remoteAddress, port: remotePort ?? 0 };
}
