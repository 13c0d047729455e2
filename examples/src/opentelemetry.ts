// Metrics of all connections of a process, for Prometheus or any other exporter of OpenTelemetry.
//
//   npm run example -- opentelemetry             an echo server on port 8080, metrics on port 9464
//   npm run example -- opentelemetry 8080 9464   the same
//
// Your own program only needs `measureConnections()`. It subscribes to the library's diagnostics channels,
// and therefore sees every connection, whichever code opened it.

import { subscribe } from "node:diagnostics_channel";
import type { Meter } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { serve, type Connection, type DiagnosticsMessages, type Traffic } from "holdfast";

function measureConnections(meter: Meter): void {
  const open = meter.createUpDownCounter("websocket.connections.open", {
    description: "Connections that are open now",
  });
  const opened = meter.createCounter("websocket.connections.opened", {
    description: "Connections that opened",
  });
  const closed = meter.createCounter("websocket.connections.closed", {
    description: "Connections that ended, by cause",
  });
  const duration = meter.createHistogram("websocket.connection.duration", {
    unit: "s",
    description: "From the opening to the end",
    advice: { explicitBucketBoundaries: [1, 10, 60, 600, 3600, 86_400] },
  });
  const latency = meter.createHistogram("websocket.latency", {
    unit: "ms",
    description: "Round trips of pings",
    advice: { explicitBucketBoundaries: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000] },
  });
  const messages = meter.createObservableCounter("websocket.messages", {
    description: "Messages, including those of open connections",
  });
  const bytes = meter.createObservableCounter("websocket.io", {
    unit: "By",
    description: "Bytes on the wire, including those of open connections",
  });
  const pingsLost = meter.createObservableCounter("websocket.pings.lost", {
    description: "Pings that were not answered in time",
  });

  // The connections count their own traffic. It is read together with the metrics, so a message costs
  // nothing.
  const connections = new Set<Connection>();
  const ended = { ...NOTHING };
  meter.addBatchObservableCallback(
    (result) => {
      const total = { ...ended };
      for (const connection of connections) add(total, connection.traffic, connection.latencyStats);
      result.observe(messages, total.messagesReceived, { direction: "received" });
      result.observe(messages, total.messagesSent, { direction: "sent" });
      result.observe(bytes, total.bytesReceived, { direction: "received" });
      result.observe(bytes, total.bytesSent, { direction: "sent" });
      if (total.lost > 0) result.observe(pingsLost, total.lost);
    },
    [messages, bytes, pingsLost],
  );

  on("holdfast:connection:open", ({ connection }) => {
    connections.add(connection);
    open.add(1);
    opened.add(1);
  });
  on("holdfast:connection:pong", ({ roundTrip }) => {
    if (roundTrip !== null) latency.record(roundTrip);
  });
  on("holdfast:connection:close", ({ connection, info }) => {
    const { evidence } = info;
    connections.delete(connection);
    add(ended, evidence, evidence.latency);
    open.add(-1);
    // The cause is one of a fixed set, so it is suitable as a label. The reason comes from the peer, so it is
    // not.
    closed.add(1, { cause: info.cause, ok: info.ok });
    duration.record((evidence.endedAt - (evidence.openedAt ?? evidence.endedAt)) / 1000);
  });
}

const NOTHING = { messagesReceived: 0, messagesSent: 0, bytesReceived: 0, bytesSent: 0, lost: 0 };

function add(total: typeof NOTHING, traffic: Traffic, { lost }: { readonly lost: number }): void {
  total.messagesReceived += traffic.messagesReceived;
  total.messagesSent += traffic.messagesSent;
  total.bytesReceived += traffic.bytesReceived;
  total.bytesSent += traffic.bytesSent;
  total.lost += lost;
}

/** Subscribes to a channel, with the type of its messages. */
function on<Name extends keyof DiagnosticsMessages>(
  name: Name,
  listener: (message: DiagnosticsMessages[Name]) => void,
): void {
  subscribe(name, (message) => listener(message as DiagnosticsMessages[Name]));
}

const [port = "8080", metricsPort = "9464"] = process.argv.slice(2);
const exporter = new PrometheusExporter({ host: "127.0.0.1", port: Number(metricsPort) });
const provider = new MeterProvider({ readers: [exporter] });
measureConnections(provider.getMeter("holdfast"));

const server = await serve(
  async (connection) => {
    for await (const message of connection) await connection.send(message);
  },
  { port: Number(port) },
);
console.log(`Listening on ${server.url}, metrics on http://127.0.0.1:${metricsPort}/metrics`);

process.once("SIGINT", () => {
  void server.close({ timeout: 5_000 }).then(() => provider.shutdown());
});
