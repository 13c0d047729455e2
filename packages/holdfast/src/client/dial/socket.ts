// Opens a TCP or Unix socket, with or without TLS.

import { connect as connectTcp, getDefaultAutoSelectFamily, isIP } from "node:net";
import type { LookupFunction, Socket } from "node:net";
import type { Runtime } from "../../connection/runtime.js";
import { openWithSharedBuffer } from "../../transport/node/shared-read-buffer.js";
import { AddressRace } from "./address-race.js";
import { interleaveFamilies, resolveAddresses } from "./lookup.js";
import type { DialContext } from "./dial-context.js";
import { startTls, type TlsSettings } from "./tls.js";

/** The address of a socket, as `net.connect` takes it. */
export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string };

/** Checked options of TCP connections. */
export interface TcpSettings {
  readonly localAddress?: string;
  readonly family?: 0 | 4 | 6;
  readonly lookup?: LookupFunction;
  /** Whether to try all addresses of a host, not only the first. */
  readonly autoSelectFamily?: boolean;
}

export interface SocketSettings {
  readonly runtime: Runtime;
  readonly tcp: TcpSettings;
}

/**
 * Connects, and with `tls` also completes the TLS handshake. One socket object does both, which takes half the memory
 * of TLS over a separate stream.
 *
 * @param mayShareBuffer true if only a `SocketByteStream` will read from a socket without TLS
 * @throws HandshakeError; InvalidArgumentError if Node rejects the options, before any I/O
 */
export async function openSocket(
  endpoint: Endpoint,
  { runtime, tcp }: SocketSettings,
  tls: TlsSettings | null,
  context: DialContext,
  mayShareBuffer = false,
): Promise<Socket> {
  const endpoints = await endpointsOf(endpoint, tcp, tls, context);
  context.enter("connect");
  const { localAddress } = tcp;
  const race = new AddressRace<Socket, Socket>({
    addresses: [...endpoints.keys()],
    runtime,
    open: (address) => {
      const options = { ...endpoints.get(address), ...(localAddress === undefined ? {} : { localAddress }) };
      // Safe: the address is a key of the map.
      return context.track(startConnecting(options as Endpoint, tls, mayShareBuffer, context));
    },
    discard: (socket) => context.discard(socket),
    onConnected: async (socket) => {
      if (tls === null) return socket;
      context.enter("tls");
      await context.waitFor(socket, "secureConnect");
      return socket;
    },
    closedEarly: () => context.endedEarly(),
  });
  context.setRace(race);
  try {
    return await race.run();
  } catch (error) {
    throw context.failure(error);
  } finally {
    context.setRace(null);
  }
}

/** The endpoints to try, in order. The keys are the addresses shown in error messages. */
async function endpointsOf(
  endpoint: Endpoint,
  tcp: TcpSettings,
  tls: TlsSettings | null,
  context: DialContext,
): Promise<ReadonlyMap<string, Endpoint>> {
  if ("path" in endpoint) return new Map([[endpoint.path, endpoint]]);
  const { host, port } = endpoint;
  const hosts = isIP(host) === 0 ? await addressesOf(host, tcp, tls, context) : [host];
  return new Map(hosts.map((address) => [addressAndPort(address, port), { host: address, port }]));
}

async function addressesOf(
  hostname: string,
  { family = 0, lookup, localAddress, autoSelectFamily }: TcpSettings,
  tls: TlsSettings | null,
  context: DialContext,
): Promise<readonly string[]> {
  const settings = {
    // A local address can reach only addresses of its own family.
    family: family === 0 && localAddress !== undefined ? isIP(localAddress) : family,
    lookup: lookup ?? tls?.options?.lookup,
  };
  const addresses = interleaveFamilies(await resolveAddresses(hostname, settings, context));
  return (autoSelectFamily ?? getDefaultAutoSelectFamily()) ? addresses : addresses.slice(0, 1);
}

/** Without brackets for IPv6, as in the errors of Node. */
function addressAndPort(address: string, port: number): string {
  return `${address}:${port}`;
}

function startConnecting(
  endpoint: Endpoint,
  tls: TlsSettings | null,
  mayShareBuffer: boolean,
  context: DialContext,
): Socket {
  const common = { ...endpoint, autoSelectFamily: false, noDelay: true, allowHalfOpen: true };
  if (tls === null) {
    return mayShareBuffer
      ? openWithSharedBuffer((onread) => connectTcp({ ...common, ...onread }))
      : connectTcp(common);
  }
  return startTls(common, tls, context);
}
