// A tunnel through a SOCKS proxy, which the package `socks` opens where the application has installed it.

import { isIP, type Socket } from "node:net";
import type { SocksClient } from "socks";
import { escapeControls } from "../../shared/control-characters.js";
import { errorOf } from "../../shared/thrown.js";
import { resolveAddresses } from "../dial/lookup.js";
import type { DialContext } from "../dial/dial-context.js";
import type { TcpSettings } from "../dial/socket.js";
import type { Destination } from "./no-proxy.js";
import type { SocksProxy } from "./proxy.js";

/** Without `openTimeout`. The package never cancels its timer, which keeps the socket in memory until then. */
const LONGEST_WAIT = 3_600_000;

/** What the package exports, as far as it is used here. */
interface SocksPackage {
  readonly SocksClient: typeof SocksClient;
}

/**
 * Loads the package, before there is any I/O.
 *
 * @throws ProxyError that says what to install
 */
export async function loadSocks(proxy: SocksProxy, passage: DialContext): Promise<SocksPackage> {
  try {
    return await import("socks");
  } catch (cause) {
    const message = `The proxy ${proxy.href} needs the package "socks", which is not installed here: run \`npm install socks\``;
    throw passage.proxyFailure(message, { cause });
  }
}

/** The destination as the proxy is to be told it: by name, or by an address that was looked up here. */
export async function socksDestination(
  proxy: SocksProxy,
  { hostname, port }: Destination,
  { lookup, family = 0 }: TcpSettings,
  passage: DialContext,
): Promise<Destination> {
  if (proxy.resolvesNames || isIP(hostname) !== 0) return { hostname, port };
  // SOCKS 4 has no IPv6 (its messages hold four bytes for the address).
  const settings = { family: family === 0 && proxy.version === 4 ? 4 : family, lookup };
  const [address] = await resolveAddresses(hostname, settings, passage);
  return { hostname: address, port };
}

/**
 * Has the proxy connect `socket` to the destination.
 *
 * @throws ProxyError
 */
export async function openSocksTunnel(
  socks: SocksPackage,
  socket: Socket,
  proxy: SocksProxy,
  { hostname, port }: Destination,
  openTimeout: number | null,
  passage: DialContext,
): Promise<void> {
  passage.enter("proxy");
  const { username, password } = proxy.userInfo ?? {};
  // The package waits for a socket that is gone, and ours outlives the FIN of the other side.
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
      // Ours goes off before, and tells the phase.
      timeout: openTimeout === null ? LONGEST_WAIT : openTimeout + 1000,
    });
  } catch (error) {
    if (socket.readableEnded) throw passage.endedEarly();
    // Not as the cause: the package's errors carry its options, and so the password.
    const detail = escapeControls(errorOf(error).message);
    throw passage.proxyFailure(
      `The SOCKS proxy ${proxy.href} opened no tunnel to ${hostname}:${port}: ${detail}`,
    );
  } finally {
    socket.off("end", onEnd);
  }
}
