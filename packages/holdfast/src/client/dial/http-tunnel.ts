// A tunnel through an HTTP proxy: CONNECT (RFC 9110 section 9.3.6).

import { isIPv6 } from "node:net";
import type { Duplex } from "node:stream";
import { SocketByteStream } from "../../transport/node/socket-byte-stream.js";
import { escapeControls } from "../../shared/control-characters.js";
import type { HoldfastError } from "../../shared/errors.js";
import { quote } from "../../shared/quote.js";
import type { HeadLimits } from "../../protocol/handshake/head-failure.js";
import { headerList, type HeaderField } from "../../protocol/handshake/header-input.js";
import type { ResponseHead } from "../../protocol/handshake/response-head.js";
import { Exchange, type ExchangeHandler } from "../exchange.js";
import type { SystemError } from "../open-failure.js";
import type { DialContext } from "./dial-context.js";
import type { HostAndPort } from "../proxy/no-proxy.js";
import type { HttpProxy } from "../proxy/proxy.js";

/**
 * Sends CONNECT to the proxy and waits for its response. Bytes that the server sends right away stay in the stream.
 *
 * @throws ProxyError
 */
export async function openHttpTunnel(
  stream: Duplex,
  proxy: HttpProxy,
  destination: HostAndPort,
  limits: HeadLimits,
  context: DialContext,
): Promise<void> {
  context.enter("proxy");
  const authority = authorityOf(destination);
  const transport = new SocketByteStream(stream);
  await new Promise<void>((resolve, reject) => {
    const answer = new TunnelAnswer({ proxy, authority, context, reject }, (rest) => {
      transport.release(rest);
      resolve();
    });
    const exchange = new Exchange(limits, answer);
    context.exchange = exchange;
    exchange.begin(transport, connectRequest(proxy, authority));
  });
  context.exchange = null;
}

interface TunnelRequest {
  readonly proxy: HttpProxy;
  readonly authority: string;
  readonly context: DialContext;
  readonly reject: (error: HoldfastError) => void;
}

class TunnelAnswer implements ExchangeHandler {
  readonly #request: TunnelRequest;
  readonly #onOpen: (rest: Uint8Array) => void;

  constructor(request: TunnelRequest, onOpen: (rest: Uint8Array) => void) {
    this.#request = request;
    this.#onOpen = onOpen;
  }

  /** Any 2xx opens the tunnel right after the head, regardless of Content-Length. */
  onHead(head: ResponseHead, rest: Uint8Array): "body" | "done" {
    if (head.status < 200 || head.status > 299) return "body";
    this.#onOpen(rest);
    return "done";
  }

  onBody(head: ResponseHead, body: Uint8Array): void {
    const { proxy, authority } = this.#request;
    const answer = { status: head.status, headers: head.headers.toHeaders(), body };
    const words = `${head.status} ${escapeControls(head.reason)}`.trimEnd();
    const message = `Expected the proxy ${proxy.href} to open a tunnel to ${authority}, got ${words}.`;
    this.#fail(message, { answer }, this.#advice(head));
  }

  onMalformed(reason: string): void {
    this.#fail(`Expected the proxy ${this.#request.proxy.href} to answer in HTTP.`, {}, reason);
  }

  onError(error: SystemError): void {
    this.#request.reject(this.#request.context.failure(error));
  }

  onEnded(hasAnswered: boolean): void {
    this.#request.reject(this.#request.context.endedEarly(hasAnswered));
  }

  #fail(...failure: Parameters<DialContext["proxyFailure"]>): void {
    this.#request.reject(this.#request.context.proxyFailure(...failure));
  }

  #advice({ status, headers }: ResponseHead): string | undefined {
    if (status !== 407) return undefined;
    const { authorization, headers: given } = this.#request.proxy;
    if (isGiven(given)) return "Check the header Proxy-Authorization in `proxy.headers`.";
    const schemes = headers.getAll("Proxy-Authenticate").join(", ");
    if (schemes !== "" && !/(?:^|,)\s*Basic\b/i.test(schemes)) {
      return `The proxy wants ${quote(schemes)}, and Holdfast sends Basic only: set Proxy-Authorization in \`proxy.headers\`, or run a local proxy that signs in there.`;
    }
    return authorization === null
      ? "Put user and password into the proxy's URL."
      : "Check the user and the password.";
  }
}

function isGiven(headers: readonly HeaderField[]): boolean {
  return headers.some(([name]) => name.toLowerCase() === "proxy-authorization");
}

/** Always with the port, and with brackets around IPv6 addresses. */
function authorityOf({ hostname, port }: HostAndPort): string {
  return `${isIPv6(hostname) ? `[${hostname}]` : hostname}:${port}`;
}

function connectRequest({ authorization, headers }: HttpProxy, authority: string): Uint8Array {
  const credentials: HeaderField[] =
    authorization === null || isGiven(headers) ? [] : [["Proxy-Authorization", authorization]];
  const fields = headerList([["Host", authority], ...credentials, ...headers]);
  return Buffer.from(`CONNECT ${authority} HTTP/1.1\r\n${fields.toString()}\r\n`, "latin1");
}
