import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "holdfast";
import { freePort } from "holdfast-testkit";
import { Program } from "./program.js";

/** The samples of a metrics page with predictable values, by name and labels. */
async function scrape(port: number): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const lines = (await response.text()).split("\n").filter((line) => line.startsWith("websocket_"));
  return new Map(
    lines.map((line) => {
      const [, name = "", value] = /^(.*) (\S+)$/.exec(line) ?? [];
      return [name.replace(/,?otel_scope_name="holdfast"/, "").replace("{}", ""), Number(value)];
    }),
  );
}

test("J2: opentelemetry counts connections by cause, messages, bytes and latencies, for Prometheus to fetch", async () => {
  const metricsPort = await freePort();
  await using server = new Program("opentelemetry", "0", String(metricsPort));
  const [, port = ""] = await server.prints(/Listening on ws:\/\/\S+:(\d+)/);
  const url = `ws://127.0.0.1:${port}`;
  const staying = await connect(url, { pingInterval: null });
  const leaving = await connect(url, { pingInterval: null });
  await leaving.send("Hello");
  await leaving.recv();
  const whileOpen = await scrape(metricsPort);
  assert.deepEqual(
    [
      whileOpen.get("websocket_connections_open"),
      whileOpen.get('websocket_messages_total{direction="received"}'),
    ],
    [2, 1],
    "a message counts while its connection is open",
  );
  assert((whileOpen.get('websocket_io_total{direction="sent"}') ?? 0) > 0);
  const { evidence } = await leaving.close();

  // The server ends its side, and receives the pong for its own ping, a moment later.
  let samples = await scrape(metricsPort);
  const isComplete = () =>
    samples.has('websocket_connections_closed_total{cause="peer-close",ok="true"}') &&
    samples.get("websocket_latency_count") === 2;
  for (let tries = 0; tries < 1_200 && !isComplete(); tries++) {
    await sleep(25);
    samples = await scrape(metricsPort);
  }
  const counts = [...samples].filter(([name]) => !/_(bucket|sum)|websocket_io/.test(name));
  assert.deepEqual(Object.fromEntries(counts), {
    websocket_connections_open: 1,
    websocket_connections_opened_total: 2,
    'websocket_connections_closed_total{cause="peer-close",ok="true"}': 1,
    websocket_connection_duration_count: 1,
    websocket_latency_count: 2,
    'websocket_messages_total{direction="received"}': 1,
    'websocket_messages_total{direction="sent"}': 1,
  });
  assert.equal(
    samples.get('websocket_io_total{direction="received"}'),
    evidence.bytesSent + staying.traffic.bytesSent,
  );
  const latency = samples.get("websocket_latency_sum") ?? 0;
  assert.ok(latency > 0 && latency < 60_000, `${latency} ms`);

  await staying.close();
  server.signal("SIGINT");
  const { status, errors } = await server.ended;
  assert.deepEqual([status, errors], [0, ""]);
});
