import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { connect, serve, type Server } from "holdfast";
import { traceUpgrades } from "../tracing.js";

describe("Example: operations, traces", () => {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  let server: Server;

  before(async () => {
    provider.register(); // The context of async functions, and the header traceparent.
    const tracer = trace.getTracer("test");
    const { onRequest, handler } = traceUpgrades(tracer, {
      onRequest: ({ url }) => {
        if (url.includes("refused")) return new Response("no", { status: 403 });
        if (url.includes("failing")) throw new Error("broken");
        return undefined;
      },
      handler: async (connection) => {
        tracer.startSpan("in the handler", {}, context.active()).end();
        await connection.closed;
      },
    });
    server = await serve(handler, { host: "127.0.0.1", onRequest, logger: null });
  });
  afterEach(() => exporter.reset());
  after(async () => {
    await server.close();
    await provider.shutdown();
  });

  const TRACE = "0af7651916cd43dd8448eb211c80319c";
  const PARENT = "b7ad6b7169203331";

  test("J2: an upgrade is a span by the semantic conventions, in the client's trace, and the parent of the handler's", async () => {
    const url = `ws://127.0.0.1:${server.port}/chat?token=secret`;
    const headers = { traceparent: `00-${TRACE}-${PARENT}-01`, "User-Agent": "test" };
    const connection = await connect(url, { headers });
    while (exporter.getFinishedSpans().length < 2) await connection.ping();
    await connection.close();
    const [upgrade, within] = exporter.getFinishedSpans();
    assert.ok(upgrade !== undefined && within !== undefined);
    assert.deepEqual(
      { name: upgrade.name, kind: upgrade.kind, attributes: upgrade.attributes },
      {
        name: "GET",
        kind: SpanKind.SERVER,
        attributes: {
          "http.request.method": "GET",
          "url.scheme": "http",
          "url.path": "/chat",
          "server.address": "127.0.0.1",
          "server.port": server.port,
          "client.address": "127.0.0.1",
          "user_agent.original": "test",
          "http.response.status_code": 101,
        },
      },
    );
    assert.equal(upgrade.spanContext().traceId, TRACE);
    assert.equal(upgrade.parentSpanContext?.spanId, PARENT);
    assert.equal(within.parentSpanContext?.spanId, upgrade.spanContext().spanId);
  });

  for (const [path, status, code] of [
    ["refused", 403, SpanStatusCode.UNSET],
    ["failing", 500, SpanStatusCode.ERROR],
  ] as const) {
    test(`J2: the span of a request that is ${path} has the status ${status}`, async () => {
      await assert.rejects(connect(`ws://127.0.0.1:${server.port}/${path}`), { status });
      const [span] = exporter.getFinishedSpans();
      assert.equal(span?.attributes["http.response.status_code"], status);
      assert.equal(span.status.code, code);
    });
  }
});
