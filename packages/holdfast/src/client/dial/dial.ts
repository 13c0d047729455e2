// Opens the stream to the server on which the client then sends its upgrade request.

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { WebSocketURL } from "../../protocol/handshake/url.js";
import { checkUnixPath } from "../../transport/node/unix-path.js";
import { openHttpTunnel } from "./http-tunnel.js";
import type { HttpProxy, Proxy, SocksProxy } from "../proxy/proxy.js";
import { loadSocks, openSocksTunnel, socksDestination } from "./socks-tunnel.js";
import { createStream, takeStream } from "./custom-stream.js";
import type { DialContext } from "./dial-context.js";
import type { DialTarget, DialOptions } from "./dial-target.js";
import { openSocket } from "./socket.js";
import { secure, type TlsSettings } from "./tls.js";

/**
 * Opens a stream to the server of the URL. Received bytes stay in the stream until the caller reads them.
 *
 * @throws HandshakeError; InvalidArgumentError if Node rejects an option
 */
export async function dial(
  target: DialTarget,
  url: WebSocketURL,
  settings: DialOptions,
  context: DialContext,
): Promise<Duplex> {
  const alpnProtocols = settings.http2 ? HTTP_2_OR_1 : HTTP_1;
  const tls: TlsSettings | null = url.isSecure
    ? {
        hostname: url.hostname,
        alpnProtocols,
        options: settings.tls,
        name: "tls",
        destination: destinationOf(target, url),
        sessions: settings.tlsSessions,
      }
    : null;
  if (target.kind === "socket") {
    if (target.path !== null) checkUnixPath(target.path);
    const endpoint = target.path === null ? { host: url.hostname, port: url.port } : { path: target.path };
    return openSocket(endpoint, settings, tls, context, true);
  }
  const stream = await openStream(target, url, settings, context);
  return tls === null ? stream : secure(stream, tls, "tls", context);
}

function destinationOf(target: DialTarget, url: WebSocketURL): string {
  return target.kind === "socket" && target.path !== null ? target.path : `${url.hostname} ${url.port}`;
}

/** Opens the stream below the server's TLS. */
async function openStream(
  target: Exclude<DialTarget, { kind: "socket" }>,
  url: WebSocketURL,
  settings: DialOptions,
  context: DialContext,
): Promise<Duplex> {
  switch (target.kind) {
    case "stream":
      return takeStream(target.stream, "stream", context);
    case "stream-factory":
      return createStream(target.create, url, context);
    case "proxy": {
      context.setProxy(target.proxy);
      const stream =
        target.proxy.kind === "http"
          ? await throughHttpProxy(target.proxy, url, settings, context)
          : await throughSocksProxy(target.proxy, url, settings, context);
      context.setProxy(null);
      return stream;
    }
  }
}

async function throughHttpProxy(
  proxy: HttpProxy,
  url: WebSocketURL,
  settings: DialOptions,
  context: DialContext,
): Promise<Duplex> {
  const { hostname, port, tls: options } = proxy;
  const socket = await openProxySocket(proxy, settings, context);
  const tls: TlsSettings = {
    hostname,
    alpnProtocols: HTTP_1,
    options,
    name: "proxy.tls",
    destination: `${hostname} ${port}`,
    sessions: settings.tlsSessions,
  };
  const stream = proxy.isSecure ? await secure(socket, tls, "proxy", context) : socket;
  await openHttpTunnel(stream, proxy, url, settings.headLimits, context);
  return stream;
}

async function throughSocksProxy(
  proxy: SocksProxy,
  url: WebSocketURL,
  settings: DialOptions,
  context: DialContext,
): Promise<Duplex> {
  const socks = await loadSocks(proxy, context);
  context.setProxy(null); // If the server's name cannot be resolved, that is not the proxy's fault.
  const destination = await socksDestination(proxy, url, settings.tcp, context);
  context.setProxy(proxy);
  const socket = await openProxySocket(proxy, settings, context);
  await openSocksTunnel(socks, socket, proxy, destination, settings.openTimeout, context);
  return socket;
}

function openProxySocket(
  { hostname, port }: Proxy,
  settings: DialOptions,
  context: DialContext,
): Promise<Socket> {
  return openSocket({ host: hostname, port }, settings, null, context);
}

const HTTP_1 = ["http/1.1"];
/** With HTTP/1.1 offered too, a server without HTTP/2 completes the TLS handshake, and the error can say why. */
const HTTP_2_OR_1 = ["h2", "http/1.1"];
