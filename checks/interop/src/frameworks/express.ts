import { once } from "node:events";
import express from "express";
import { closeServer, PAGE, sum, type Framework } from "./framework.js";

export const expressFramework: Framework = {
  row: "Express",
  packageName: "express",
  async start() {
    const app = express();
    app.use(express.json());
    app.get("/page", (_request, response) => void response.send(PAGE));
    app.post("/sum", (request, response) => void response.json(sum(request.body)));
    const httpServer = app.listen(0, "127.0.0.1");
    await once(httpServer, "listening");
    return { httpServer, close: () => closeServer(httpServer) };
  },
};
