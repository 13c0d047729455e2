import assert from "node:assert/strict";
import { once } from "node:events";
import { after, afterEach, before, describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { connect, serve, type Server } from "holdfast";
import { traceUpgrades } from "../tracing.js";

describe("Example: operations, traces", () => {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const leaving = new AbortController();
  let server: Server;

  before(async () => {
    provider.register(); // The context of async functions, and the header traceparent.
    const tracer = trace.getTracer("test");
    const { onRequest, handler } = traceUpgrades(tracer, {
      onRequest: async ({ url, signal }) => {
        if (url.includes("waiting")) {
          leaving.abort();
          if (!signal.aborted) await once(signal, "abort");
        }
        if (url.includes("refused")) return new Response("no", { status: 403 });
        if (url.includes("failing")) throw new Error("broken");
        return undefined;
      },
      handler: async (connection) => {
        tracer.startSpan("in the handler", {}, context.active()).end();
        await connection.closed;
      },
    });
    server = await serve(handler, {
      host: "127.0.0.1",
      onRequest,
      logger: null,
      http2: true,
      subprotocols: ["chat"],
      requireSubprotocol: true,
    });
  });
  afterEach(() => exporter.reset());
  after(async () => {
    await server.close();
    await provider.shutdown();
  });

  const finished = (name: string) => exporter.getFinishedSpans().find((span) => span.name === name);

  const TRACE = "0af7651916cd43dd8448eb211c80319c";
  const PARENT = "b7ad6b7169203331";

  test("J2: an upgrade is a span by the semantic conventions, in the client's trace, and the parent of the handler's", async () => {
    const url = `ws://127.0.0.1:${server.port}/chat?token=secret`;
    const headers = { traceparent: `00-${TRACE}-${PARENT}-01`, "User-Agent": "test" };
    const connection = await connect(url, { headers, subprotocols: ["chat"] });
    while (exporter.getFinishedSpans().length < 2) await connection.ping();
    await connection.close();
    const [upgrade, within] = ["GET", "in the handler"].map(finished);
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

  for (const [reason, path, options, status, expected] of [
    ["onRequest refuses", "refused", {}, 403, SpanStatusCode.UNSET],
    ["onRequest fails", "failing", {}, 500, SpanStatusCode.ERROR],
    ["offers no subprotocol of the server", "chat", { subprotocols: [] }, 400, SpanStatusCode.UNSET],
    ["is of another origin", "chat", { origin: "https://elsewhere.example" }, 403, SpanStatusCode.UNSET],
  ] as const) {
    test(`J2: the span of a request that ${reason} has the status ${status}`, async () => {
      const url = `ws://127.0.0.1:${server.port}/${path}`;
      await assert.rejects(connect(url, { subprotocols: ["chat"], ...options }), { status });
      const spans = exporter.getFinishedSpans();
      assert.deepEqual(
        spans.map(({ attributes, status: { code } }) => [
          attributes["http.response.status_code"],
          attributes["url.path"],
          code,
        ]),
        [[status, `/${path}`, expected]],
      );
    });
  }

  test("J2: the span of an upgrade over HTTP/2 is a CONNECT with the status 200", async () => {
    const url = `ws://127.0.0.1:${server.port}/chat`;
    const connection = await connect(url, { http2: true, subprotocols: ["chat"] });
    while (exporter.getFinishedSpans().length < 2) await connection.ping();
    await connection.close();
    assert.equal(finished("CONNECT")?.attributes["http.response.status_code"], 200);
  });

  test("J2: the span of a client that leaves while onRequest decides has no status", async () => {
    const url = `ws://127.0.0.1:${server.port}/waiting`;
    await assert.rejects(connect(url, { subprotocols: ["chat"], signal: leaving.signal }), {
      name: "AbortError",
    });
    while (exporter.getFinishedSpans().length < 1) await setImmediate();
    const [span] = exporter.getFinishedSpans();
    assert.equal(span?.attributes["http.response.status_code"], undefined);
    assert.equal(span?.attributes["error.type"], "disconnected");
  });
});
