// A tunnel through a SOCKS proxy. It needs the optional package `socks`.

import { isIP, isIPv6, type Socket } from "node:net";
import type { SocksClient } from "socks";
import { escapeControls } from "../../shared/control-characters.js";
import { ProxyError } from "../../shared/errors.js";
import { errorOf } from "../../shared/thrown.js";
import { resolveAddresses } from "./lookup.js";
import type { DialContext } from "./dial-context.js";
import type { TcpSettings } from "./socket.js";
import type { HostAndPort } from "../proxy/no-proxy.js";
import type { SocksProxy } from "../proxy/proxy.js";

/** The errors of the package for a proxy that demands credentials (RFC 1928 section 3), or rejects them (RFC 1929). */
const REJECTS_CREDENTIALS = /no accepted authentication type|authentication failed/i;

function adviceFor({ userInfo }: SocksProxy): string {
  return userInfo === null
    ? "Put user and password into the proxy's URL."
    : "Check the user and the password.";
}

/** The timeout of the package if there is no `openTimeout`. Its timer is never cancelled, and retains the socket. */
const LONGEST_WAIT = 3_600_000;

/** The part of the package that is used here. */
interface SocksPackage {
  readonly SocksClient: typeof SocksClient;
}

/**
 * Loads the package, before any I/O.
 *
 * @throws ProxyError that names the package to install
 */
export async function loadSocks(proxy: SocksProxy, context: DialContext): Promise<SocksPackage> {
  try {
    return await import("socks");
  } catch (cause) {
    const message = `The proxy ${proxy.href} needs the package "socks", which is not installed here.`;
    throw context.proxyFailure(message, { cause }, "Run `npm install socks`.");
  }
}

/** The destination to send to the proxy: the host name, or an address that this client resolved. */
export async function socksDestination(
  proxy: SocksProxy,
  { hostname, port }: HostAndPort,
  { lookup, family = 0 }: TcpSettings,
  context: DialContext,
): Promise<HostAndPort> {
  // SOCKS 4 has no IPv6 (its messages hold four bytes for the address).
  if (proxy.version === 4 && isIPv6(hostname)) {
    const message = `The proxy ${proxy.href} speaks SOCKS 4, which cannot carry the IPv6 address ${hostname}`;
    throw new ProxyError(`${message} (on the way to ${context.where}). Use SOCKS 5, or a host name.`);
  }
  if (proxy.resolvesNames || isIP(hostname) !== 0) return { hostname, port };
  const settings = { family: family === 0 && proxy.version === 4 ? 4 : family, lookup };
  const [address] = await resolveAddresses(hostname, settings, context);
  return { hostname: address, port };
}

/**
 * Makes the proxy connect `socket` to the destination.
 *
 * @throws ProxyError
 */
export async function openSocksTunnel(
  socks: SocksPackage,
  socket: Socket,
  proxy: SocksProxy,
  { hostname, port }: HostAndPort,
  openTimeout: number | null,
  context: DialContext,
): Promise<void> {
  context.enter("proxy");
  const { username, password } = proxy.userInfo ?? {};
  // On a FIN the package would wait forever, because the socket allows half-open connections.
  const onEnd = () => socket.destroy();
  socket.on("end", onEnd);
  try {
    await socks.SocksClient.createConnection({
      command: "connect",
      existing_socket: socket,
      destination: { host: hostname, port },
      proxy: {
        host: proxy.hostname,
        port: proxy.port,
        type: proxy.version,
        ...(username === undefined ? {} : { userId: username }),
        ...(password === undefined ? {} : { password }),
      },
      // `openTimeout` fires first, with an error that names the phase.
      timeout: openTimeout === null ? LONGEST_WAIT : openTimeout + 1000,
    });
  } catch (error) {
    if (socket.readableEnded) throw context.endedEarly(socket.bytesRead > 0);
    // Not as `cause`: the errors of the package contain its options, and therefore the password.
    const detail = escapeControls(errorOf(error).message);
    const needsCredentials = REJECTS_CREDENTIALS.test(detail);
    throw context.proxyFailure(
      `The SOCKS proxy ${proxy.href} opened no tunnel to ${hostname}:${port}: ${detail}`,
      { needsCredentials },
      needsCredentials ? adviceFor(proxy) : undefined,
    );
  } finally {
    socket.off("end", onEnd);
  }
}
