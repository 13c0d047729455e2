// Metrics of all connections of this process, for Prometheus. Messages and bytes of open connections count as well.

import { subscribe } from "node:diagnostics_channel";
import type { Connection, DiagnosticsMessages } from "holdfast";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export function measureConnections(register: Registry): void {
  const registers = [register];
  const connections = new Set<Connection>();
  const ended = { messagesReceived: 0, messagesSent: 0, bytesReceived: 0, bytesSent: 0 };

  new Gauge({
    name: "websocket_connections",
    help: "Connections that are open now",
    registers,
    collect() {
      this.set(connections.size);
    },
  });
  const opened = new Counter({ name: "websocket_opened_total", help: "Connections that opened", registers });
  const closed = new Counter({
    name: "websocket_closed_total",
    help: "Connections that ended, by cause",
    labelNames: ["cause", "ok"],
    registers,
  });
  const duration = new Histogram({
    name: "websocket_duration_seconds",
    help: "From the opening of a connection to its end",
    buckets: [1, 10, 60, 600, 3_600, 86_400],
    registers,
  });
  const roundTrip = new Histogram({
    name: "websocket_round_trip_seconds",
    help: "Round trips of pings",
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
    registers,
  });
  const limited = new Counter({
    name: "websocket_limited_total",
    help: "Times that a limit was exceeded, by limit",
    labelNames: ["limit"],
    registers,
  });

  /** Connections count for themselves; the sum is made when Prometheus asks, so that a message costs nothing. */
  const total = (key: keyof typeof ended): number =>
    [...connections].reduce((sum, { traffic }) => sum + traffic[key], ended[key]);
  const counted = (
    name: string,
    help: string,
    received: keyof typeof ended,
    sent: keyof typeof ended,
  ): void => {
    new Counter({
      name,
      help,
      labelNames: ["direction"],
      registers,
      collect() {
        this.reset();
        this.inc({ direction: "received" }, total(received));
        this.inc({ direction: "sent" }, total(sent));
      },
    });
  };
  counted("websocket_messages_total", "Messages", "messagesReceived", "messagesSent");
  counted("websocket_bytes_total", "Bytes on the wire", "bytesReceived", "bytesSent");

  on("holdfast:connection:open", ({ connection }) => {
    connections.add(connection);
    opened.inc();
  });
  on("holdfast:connection:pong", ({ roundTrip: milliseconds }) => {
    if (milliseconds !== null) roundTrip.observe(milliseconds / 1_000);
  });
  on("holdfast:server:limited", ({ limit }) => limited.inc({ limit }));
  on("holdfast:connection:close", ({ connection, info: { cause, ok, evidence } }) => {
    connections.delete(connection);
    ended.messagesReceived += evidence.messagesReceived;
    ended.messagesSent += evidence.messagesSent;
    ended.bytesReceived += evidence.bytesReceived;
    ended.bytesSent += evidence.bytesSent;
    // The cause is one of a fixed set, so it is suitable as a label. The reason comes from the peer, so it is not.
    closed.inc({ cause, ok: String(ok) });
    if (evidence.openedAt !== null) duration.observe((evidence.endedAt - evidence.openedAt) / 1_000);
  });
}

/** Subscribes to a channel, with the type of its messages. */
function on<Name extends keyof DiagnosticsMessages>(
  name: Name,
  listener: (message: DiagnosticsMessages[Name]) => void,
): void {
  subscribe(name, (message) => listener(message as DiagnosticsMessages[Name]));
}
