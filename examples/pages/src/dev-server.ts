// The pages for development: Vite with hot reload, server rendering, and the WebSocket, all on one port.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { attach, type Server } from "holdfast";
import { createServer as createVite } from "vite";

export interface DevServer extends AsyncDisposable {
  readonly url: string;
  readonly sockets: Server;
}

/** `root` is the folder of index.html. */
export async function startDevServer(root: string, port: number): Promise<DevServer> {
  const http = createServer();
  const vite = await createVite({
    root,
    configFile: false,
    appType: "custom",
    logLevel: "error",
    plugins: [react()],
    server: { middlewareMode: true, hmr: { server: http } },
  });
  http.on("request", (request, response) => {
    vite.middlewares(request, response, () => {
      page(request, response).catch((error: unknown) => {
        console.error(error);
        response.writeHead(500).end();
      });
    });
  });
  // Everybody gets every message.
  const sockets = attach(http, (connection) => connection.forEach((message) => sockets.broadcast(message)), {
    path: "/ws",
  });
  http.listen(port, "127.0.0.1");
  await once(http, "listening");
  const address = http.address() as AddressInfo; // It listens on TCP.

  async function page({ url = "/" }: IncomingMessage, response: ServerResponse): Promise<void> {
    const isReact = url === "/";
    if (!isReact && url !== "/shared-worker.html") {
      response.writeHead(404).end();
      return;
    }
    const file = await readFile(join(root, isReact ? "index.html" : "shared-worker.html"), "utf8");
    const html = await vite.transformIndexHtml(url, file);
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.end(isReact ? html.replace("<!--app-->", await renderApp()) : html);
  }

  async function renderApp(): Promise<string> {
    const { render } = await vite.ssrLoadModule("/src/react/server.tsx");
    return (render as () => string)(); // The export of that file.
  }

  return {
    url: `http://127.0.0.1:${address.port}`,
    sockets,
    async [Symbol.asyncDispose]() {
      await sockets.close({ timeout: 1_000 });
      await vite.close();
      http.close();
      http.closeAllConnections();
    },
  };
}
