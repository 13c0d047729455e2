// A socket of our own: TCP or a Unix socket, with TLS over it or without.

import { connect as connectTcp, getDefaultAutoSelectFamily, isIP } from "node:net";
import type { LookupFunction, Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Runtime } from "../../connection/runtime.js";
import { openWithSharedBuffer } from "../../transport/node/shared-read-buffer.js";
import { AddressRace } from "./address-race.js";
import { interleaveFamilies, resolveAddresses } from "./lookup.js";
import type { DialContext } from "./dial-context.js";
import { asInvalidTls, tlsOptions, type TlsSettings } from "./tls.js";

/** What a socket connects to, in the words of `net.connect`. */
export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string };

/** How a TCP connection is made. */
export interface TcpSettings {
  readonly localAddress?: string;
  readonly family?: 0 | 4 | 6;
  readonly lookup?: LookupFunction;
  /** Whether to try more than the first address. */
  readonly autoSelectFamily?: boolean;
}

export interface SocketSettings {
  readonly runtime: Runtime;
  readonly tcp: TcpSettings;
}

/**
 * Connects; with `tls` the TLS handshake is over as well. One object does both, which is half the memory of TLS over
 * another stream.
 *
 * @param mayLend nobody but a `SocketByteStream` is going to read from a socket without TLS
 * @throws HandshakeError; InvalidArgumentError where Node refuses the options, which it does before any I/O
 */
export async function openSocket(
  endpoint: Endpoint,
  { runtime, tcp }: SocketSettings,
  tls: TlsSettings | null,
  passage: DialContext,
  mayLend = false,
): Promise<Socket> {
  const targets = await targetsOf(endpoint, tcp, tls, passage);
  passage.enter("connect");
  const { localAddress } = tcp;
  const race = new AddressRace<Socket, Socket>({
    addresses: [...targets.keys()],
    runtime,
    open: (address) => {
      const target = { ...targets.get(address), ...(localAddress === undefined ? {} : { localAddress }) };
      return passage.track(startConnecting(target as Endpoint, tls, mayLend, passage)); // One of the keys.
    },
    discard: (socket) => passage.discard(socket),
    onConnected: async (socket) => {
      if (tls === null) return socket;
      passage.enter("tls");
      await passage.waitFor(socket, "secureConnect");
      return socket;
    },
    closedEarly: () => passage.endedEarly(),
  });
  passage.follow(race);
  try {
    return await race.run();
  } catch (error) {
    throw passage.failure(error);
  } finally {
    passage.follow(null);
  }
}

/** The addresses to try, in order, each under the name that it has in messages. */
async function targetsOf(
  endpoint: Endpoint,
  tcp: TcpSettings,
  tls: TlsSettings | null,
  passage: DialContext,
): Promise<ReadonlyMap<string, Endpoint>> {
  if ("path" in endpoint) return new Map([[endpoint.path, endpoint]]);
  const { host, port } = endpoint;
  const hosts = isIP(host) === 0 ? await addressesOf(host, tcp, tls, passage) : [host];
  return new Map(hosts.map((address) => [addressAndPort(address, port), { host: address, port }]));
}

async function addressesOf(
  hostname: string,
  { family = 0, lookup, localAddress, autoSelectFamily }: TcpSettings,
  tls: TlsSettings | null,
  passage: DialContext,
): Promise<readonly string[]> {
  const settings = {
    // From an address of ours, only those of its own family can be reached.
    family: family === 0 && localAddress !== undefined ? isIP(localAddress) : family,
    lookup: lookup ?? tls?.options?.lookup,
  };
  const addresses = interleaveFamilies(await resolveAddresses(hostname, settings, passage));
  return (autoSelectFamily ?? getDefaultAutoSelectFamily()) ? addresses : addresses.slice(0, 1);
}

/** As Node's errors have it, without brackets. */
function addressAndPort(address: string, port: number): string {
  return `${address}:${port}`;
}

function startConnecting(
  target: Endpoint,
  tls: TlsSettings | null,
  mayLend: boolean,
  passage: DialContext,
): Socket {
  const common = { ...target, autoSelectFamily: false, noDelay: true, allowHalfOpen: true };
  if (tls === null) {
    return mayLend
      ? openWithSharedBuffer((onread) => connectTcp({ ...common, ...onread }))
      : connectTcp(common);
  }
  try {
    return connectTls({ ...tlsOptions(tls, passage), ...common });
  } catch (cause) {
    throw asInvalidTls(tls, cause);
  }
}
