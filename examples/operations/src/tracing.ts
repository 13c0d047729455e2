// A span for each upgrade, by OpenTelemetry's semantic conventions for HTTP servers. It continues the trace of the client,
// and the handler runs in it, so that the spans of the handler are its children.

import { subscribe } from "node:diagnostics_channel";
import {
  context,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
} from "@opentelemetry/api";
import {
  ATTR_CLIENT_ADDRESS,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
  ATTR_USER_AGENT_ORIGINAL,
} from "@opentelemetry/semantic-conventions";
import type { DiagnosticsMessages, ServerConnection, ServeOptions, ServerRequest } from "holdfast";

type OnRequest = NonNullable<ServeOptions["onRequest"]>;
type Handler = (connection: ServerConnection, request: ServerRequest) => unknown;

export interface UpgradeTracing {
  readonly onRequest: OnRequest;
  readonly handler: Handler;
}

/**
 * Wraps the two callbacks of `serve()`. Plain requests, such as health checks, have no span. Call it once in a process:
 * the upgrades that any server refuses before `onRequest` have spans too.
 */
export function traceUpgrades(tracer: Tracer, { onRequest, handler }: UpgradeTracing): UpgradeTracing {
  const contexts = new WeakMap<ServerRequest, Context>();
  const spans = new WeakMap<ServerRequest, Span>();

  const begin = (request: ServerRequest): Context => {
    const client = propagation.extract(context.active(), Object.fromEntries(request.headers));
    const span = startSpan(tracer, request, client);
    const here = trace.setSpan(client, span);
    contexts.set(request, here);
    spans.set(request, span);
    return here;
  };
  /** Ends the span, unless it has ended. The status is null if the client did not wait for one. */
  const end = (request: ServerRequest, status: number | null): void => {
    const span = spans.get(request);
    spans.delete(request);
    if (status === null) span?.setAttribute(ATTR_ERROR_TYPE, "disconnected");
    else span?.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, status);
    if (status === null || status >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
  };

  subscribe("holdfast:server:refused", (message) => {
    const { request, status } = message as DiagnosticsMessages["holdfast:server:refused"];
    if (request?.isUpgrade !== true) return;
    if (!contexts.has(request)) begin(request);
    end(request, status);
  });

  return {
    onRequest: async (request) => {
      if (!request.isUpgrade) return onRequest(request);
      try {
        return await context.with(begin(request), async () => onRequest(request));
      } catch (error) {
        spans.get(request)?.recordException(error as Error); // It takes any value.
        throw error;
      } finally {
        // By then, the server has refused the upgrade or opened the connection.
        setImmediate(() => end(request, request.signal.aborted ? null : statusOfUpgrade(request)));
      }
    },
    handler: (connection, request) =>
      context.with(contexts.get(request) ?? context.active(), () => handler(connection, request)),
  };
}

/** RFC 8441 section 5: over HTTP/2, an upgrade is a CONNECT, and 200 accepts it. */
function statusOfUpgrade({ method }: ServerRequest): number {
  return method === "CONNECT" ? 200 : 101;
}

/** No path in the name, and no query in the attributes: paths are too many, and queries may hold secrets. */
function startSpan(tracer: Tracer, request: ServerRequest, parent: Context): Span {
  const { method, headers, remoteAddress } = request;
  const userAgent = headers.get("User-Agent");
  const attributes = {
    [ATTR_HTTP_REQUEST_METHOD]: method,
    ...(URL.canParse(request.url) && attributesOf(new URL(request.url))), // The Host header may be anything.
    ...(remoteAddress !== null && { [ATTR_CLIENT_ADDRESS]: remoteAddress.address }),
    ...(userAgent !== null && { [ATTR_USER_AGENT_ORIGINAL]: userAgent }),
  };
  return tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent);
}

function attributesOf({ protocol, hostname, port, pathname }: URL): Attributes {
  const scheme = protocol.slice(0, -1);
  return {
    [ATTR_URL_SCHEME]: scheme,
    [ATTR_URL_PATH]: pathname,
    [ATTR_SERVER_ADDRESS]: hostname,
    [ATTR_SERVER_PORT]: port === "" ? { http: 80, https: 443 }[scheme] : Number(port),
  };
}
