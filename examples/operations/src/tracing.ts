// A span for each upgrade, by OpenTelemetry's semantic conventions for HTTP servers. It continues the trace of the client,
// and the handler runs in it, so that the spans of the handler are its children.

import {
  context,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type Tracer,
} from "@opentelemetry/api";
import {
  ATTR_CLIENT_ADDRESS,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
  ATTR_USER_AGENT_ORIGINAL,
} from "@opentelemetry/semantic-conventions";
import type { ServerConnection, ServeOptions, ServerRequest } from "holdfast";

type OnRequest = NonNullable<ServeOptions["onRequest"]>;
type Handler = (connection: ServerConnection, request: ServerRequest) => unknown;

export interface UpgradeTracing {
  readonly onRequest: OnRequest;
  readonly handler: Handler;
}

/** Wraps the two callbacks of `serve()`. Plain requests, such as health checks, have no span. */
export function traceUpgrades(tracer: Tracer, { onRequest, handler }: UpgradeTracing): UpgradeTracing {
  const contexts = new WeakMap<ServerRequest, Context>();
  return {
    onRequest: async (request) => {
      if (!request.isUpgrade) return onRequest(request);
      const client = propagation.extract(context.active(), Object.fromEntries(request.headers));
      const span = startSpan(tracer, request, client);
      const here = trace.setSpan(client, span);
      contexts.set(request, here);
      try {
        const answer = await context.with(here, async () => onRequest(request));
        end(span, answer instanceof Response ? answer.status : 101);
        return answer;
      } catch (error) {
        span.recordException(error as Error); // It takes any value.
        end(span, 500);
        throw error;
      }
    },
    handler: (connection, request) =>
      context.with(contexts.get(request) ?? context.active(), () => handler(connection, request)),
  };
}

/** No path in the name, and no query in the attributes: paths are too many, and queries may hold secrets. */
function startSpan(tracer: Tracer, { url, headers, remoteAddress }: ServerRequest, parent: Context): Span {
  const { protocol, hostname, port, pathname } = new URL(url);
  const scheme = protocol.slice(0, -1);
  const userAgent = headers.get("User-Agent");
  const attributes = {
    [ATTR_HTTP_REQUEST_METHOD]: "GET",
    [ATTR_URL_SCHEME]: scheme,
    [ATTR_URL_PATH]: pathname,
    [ATTR_SERVER_ADDRESS]: hostname,
    [ATTR_SERVER_PORT]: port === "" ? { http: 80, https: 443, ws: 80, wss: 443 }[scheme] : Number(port),
    ...(remoteAddress !== null && { [ATTR_CLIENT_ADDRESS]: remoteAddress.address }),
    ...(userAgent !== null && { [ATTR_USER_AGENT_ORIGINAL]: userAgent }),
  };
  return tracer.startSpan("GET", { kind: SpanKind.SERVER, attributes }, parent);
}

function end(span: Span, status: number): void {
  span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, status);
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
