import { fastify } from "fastify";
import { PAGE, sum, type Framework } from "./framework.js";

export const fastifyFramework: Framework = {
  row: "Fastify",
  packageName: "fastify",
  async start() {
    const app = fastify();
    app.get("/page", () => PAGE);
    app.post("/sum", ({ body }) => sum(body));
    await app.listen({ port: 0, host: "127.0.0.1" });
    return { httpServer: app.server, close: () => app.close() };
  },
};
