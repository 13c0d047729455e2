// A Vite development server whose module reloads go over `@holdfast/ws`.

import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket, WebSocketServer } from "@holdfast/ws";
import { isOnHoldfast } from "./user.js";

const sockets: WebSocket[] = [];

class Observed extends WebSocketServer {
  constructor(options: object) {
    super(options);
    this.on("connection", (socket) => sockets.push(socket));
  }
}

Object.assign(globalThis, { replacedWebSocketServer: Observed });
const { createServer } = await import("vite");

const root = mkdtempSync(join(tmpdir(), "holdfast-vite-"));
writeFileSync(join(root, "index.html"), '<script type="module" src="/main.js"></script>');
writeFileSync(join(root, "main.js"), "export const version = 1;");
const server = await createServer({
  root,
  configFile: false,
  logLevel: "silent",
  server: { host: "127.0.0.1", port: 0, strictPort: false },
});
try {
  await server.listen();
  const [url = ""] = server.resolvedUrls?.local ?? [];
  const token = (server.config as unknown as { webSocketToken: string }).webSocketToken;
  await fetch(`${url}main.js`); // So that the module is known.
  const client = new WebSocket(`${url.replace("http", "ws")}?token=${token}`, "vite-hmr");
  const messages: { type: string; event?: string; data?: unknown }[] = [];
  const next = async (type: RegExp): Promise<(typeof messages)[number]> => {
    for (;;) {
      const found = messages.find((message) => type.test(message.type));
      if (found !== undefined) {
        messages.splice(messages.indexOf(found), 1);
        return found;
      }
      await once(client, "message");
    }
  };
  client.on("message", (data) => messages.push(JSON.parse((data as Buffer).toString()) as { type: string }));
  const { type } = await next(/^connected$/);
  console.log(`on Holdfast: ${isOnHoldfast(sockets[0])}`);
  console.log(type);
  if (process.argv[2] === "messages") {
    server.hot.on("page:hello", (data: { from: string }) => server.hot.send("server:hello", data.from));
    client.send(
      JSON.stringify({ type: "custom", event: "page:hello", data: { from: "hello from the page" } }),
    );
    const answer = await next(/^custom$/);
    console.log(`custom: ${String(answer.data)}`);
    writeFileSync(join(root, "index.html"), '<script type="module" src="/main.js"></script><p>changed</p>');
    await next(/^(?:full-reload|update)$/);
    console.log("full-reload or update");
  } else {
    const gone = new Promise<void>((resolve) => server.hot.on("vite:client:disconnect", () => resolve()));
    const other = new WebSocket(`${url.replace("http", "ws")}?token=${token}`, "vite-hmr");
    await once(other, "open");
    other.close();
    await gone;
    console.log("client gone");
    const closed = once(client, "close") as Promise<[number]>;
    await server.close();
    console.log(`server closed: ${(await closed)[0]}`);
  }
} finally {
  await server.close();
  rmSync(root, { recursive: true, force: true });
}
process.exit(0);
