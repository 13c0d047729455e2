// An echo server to operate: metrics, traces, health and readiness on the same port, and a shutdown that loses nobody.

import { trace } from "@opentelemetry/api";
import { serve, type Server } from "holdfast";
import { collectDefaultMetrics, Registry } from "prom-client";
import { measureConnections } from "./metrics.js";
import { traceUpgrades } from "./tracing.js";

export interface OperatedServer {
  readonly server: Server;
  /** Answers 503 to readiness checks from now on; connections, new ones too, go on. */
  readonly announceEnd: () => void;
}

export async function startServer(port: number, host?: string): Promise<OperatedServer> {
  const register = new Registry();
  collectDefaultMetrics({ register });
  measureConnections(register);
  let isReady = true;

  const plain: Record<string, () => Response | Promise<Response>> = {
    // Alive: the event loop turns. It says nothing of other services, or a failing database restarts every pod.
    "/healthz": () => new Response("ok"),
    // Ready: new clients are welcome.
    "/readyz": () => (isReady ? new Response("ready") : new Response("closing", { status: 503 })),
    "/metrics": async () =>
      new Response(await register.metrics(), { headers: { "Content-Type": register.contentType } }),
  };

  const { onRequest, handler } = traceUpgrades(trace.getTracer("holdfast-example"), {
    onRequest: async ({ url, isUpgrade }) => (isUpgrade ? undefined : plain[new URL(url).pathname]?.()),
    handler: (connection) => connection.forEach((message) => connection.send(message)),
  });
  const server = await serve(handler, { port, ...(host !== undefined && { host }), onRequest, limits: true });
  return { server, announceEnd: () => (isReady = false) };
}
