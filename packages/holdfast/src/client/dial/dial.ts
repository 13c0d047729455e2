// Makes the way to the server: from nothing to a stream on which the upgrade can be asked for.

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { WebSocketURL } from "../../protocol/handshake/url.js";
import { openHttpTunnel } from "../proxy/http-tunnel.js";
import type { HttpProxy, Proxy, SocksProxy } from "../proxy/proxy.js";
import { loadSocks, openSocksTunnel, socksDestination } from "../proxy/socks-tunnel.js";
import { makeStream, takeStream } from "./given-stream.js";
import type { DialContext } from "./dial-context.js";
import type { DialTarget, DialOptions } from "./dial-target.js";
import { openSocket } from "./socket.js";
import { secure, type TlsSettings } from "./tls.js";

/**
 * Opens a stream to the server of the URL. Nobody reads from it yet: what arrives meanwhile stays in it.
 *
 * @throws HandshakeError; InvalidArgumentError where Node refuses options
 */
export async function dial(
  road: DialTarget,
  url: WebSocketURL,
  settings: DialOptions,
  passage: DialContext,
): Promise<Duplex> {
  const alpnProtocols = settings.http2 ? HTTP_2_OR_1 : HTTP_1;
  const tls: TlsSettings | null = url.isSecure
    ? { hostname: url.hostname, alpnProtocols, options: settings.tls, name: "tls" }
    : null;
  if (road.kind === "socket") {
    const endpoint = road.path === null ? { host: url.hostname, port: url.port } : { path: road.path };
    return openSocket(endpoint, settings, tls, passage, true);
  }
  const stream = await openStream(road, url, settings, passage);
  return tls === null ? stream : secure(stream, tls, "tls", passage);
}

/** A stream below the server's TLS. */
async function openStream(
  road: Exclude<DialTarget, { kind: "socket" }>,
  url: WebSocketURL,
  settings: DialOptions,
  passage: DialContext,
): Promise<Duplex> {
  switch (road.kind) {
    case "stream":
      return takeStream(road.stream, "stream", passage);
    case "made-stream":
      return makeStream(road.create, url, passage);
    case "proxy": {
      passage.enterProxy(road.proxy);
      const stream =
        road.proxy.kind === "http"
          ? await throughHttpProxy(road.proxy, url, settings, passage)
          : await throughSocksProxy(road.proxy, url, settings, passage);
      passage.leaveProxy();
      return stream;
    }
  }
}

async function throughHttpProxy(
  proxy: HttpProxy,
  url: WebSocketURL,
  settings: DialOptions,
  passage: DialContext,
): Promise<Duplex> {
  const { hostname, tls: options } = proxy;
  const socket = await openProxySocket(proxy, settings, passage);
  const tls: TlsSettings = { hostname, alpnProtocols: HTTP_1, options, name: "proxy.tls" };
  const stream = proxy.isSecure ? await secure(socket, tls, "proxy", passage) : socket;
  await openHttpTunnel(stream, proxy, url, settings.headLimits, passage);
  return stream;
}

async function throughSocksProxy(
  proxy: SocksProxy,
  url: WebSocketURL,
  settings: DialOptions,
  passage: DialContext,
): Promise<Duplex> {
  const socks = await loadSocks(proxy, passage);
  passage.leaveProxy(); // A name of the server's that is not found is no fault of the proxy.
  const destination = await socksDestination(proxy, url, settings.tcp, passage);
  passage.enterProxy(proxy);
  const socket = await openProxySocket(proxy, settings, passage);
  await openSocksTunnel(socks, socket, proxy, destination, settings.openTimeout, passage);
  return socket;
}

function openProxySocket(
  { hostname, port }: Proxy,
  settings: DialOptions,
  passage: DialContext,
): Promise<Socket> {
  return openSocket({ host: hostname, port }, settings, null, passage);
}

const HTTP_1 = ["http/1.1"];
/** A server that does not speak HTTP/2 chooses HTTP/1.1 rather than failing the handshake: so the error can say why. */
const HTTP_2_OR_1 = ["h2", "http/1.1"];
