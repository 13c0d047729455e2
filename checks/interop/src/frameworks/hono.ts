// Hono on Node.js, with its own adapter.

import { once } from "node:events";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { closeServer, PAGE, sum, type Framework } from "./framework.js";

export const honoFramework: Framework = {
  row: "Hono",
  packageName: "hono",
  async start() {
    const app = new Hono();
    app.get("/page", (context) => context.text(PAGE));
    app.post("/sum", async (context) => context.json(sum(await context.req.json())));
    const httpServer = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
    await once(httpServer, "listening");
    return { httpServer, close: () => closeServer(httpServer) };
  },
};
