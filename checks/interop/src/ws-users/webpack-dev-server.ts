// webpack-dev-server loads `ws` itself. Its server for hot module replacement compiles a page, and reports each edit.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "@holdfast/ws";
import { isOnHoldfast, overrideWs, require, type WsUser } from "./user.js";

interface DevServer {
  readonly webSocketServer: { readonly clients: readonly unknown[] } | null;
  readonly options: { readonly port: number };
  start(): Promise<void>;
  stop(): Promise<void>;
}

interface HotMessage {
  readonly type: string;
  readonly data?: unknown;
}

/** Connects as the script of webpack-dev-server in a page, and reads the messages in order. */
class HotClient {
  readonly socket: WebSocket;
  readonly #messages: HotMessage[] = [];

  constructor(url: string) {
    this.socket = new WebSocket(`${url.replace("http", "ws")}/ws`, { origin: url });
    this.socket.on("message", (data) =>
      this.#messages.push(JSON.parse((data as Buffer).toString()) as HotMessage),
    );
  }

  /** The next message of this type; earlier ones are skipped. */
  async next(type: string): Promise<unknown> {
    for (;;) {
      const message = this.#messages.shift();
      if (message?.type === type) return message.data;
      if (message === undefined) await once(this.socket, "message");
    }
  }
}

async function withDevServer(
  play: (page: HotClient, context: { server: DevServer; url: string; edit: () => void }) => Promise<void>,
): Promise<void> {
  overrideWs();
  const webpack = require("webpack") as (options: object) => object;
  const WebpackDevServer = require("webpack-dev-server") as new (
    options: object,
    compiler: object,
  ) => DevServer;
  const folder = mkdtempSync(join(tmpdir(), "holdfast-webpack-"));
  const edit = (version: number): void =>
    writeFileSync(join(folder, "main.js"), `document.title = "version ${version}";\nmodule.hot.accept();\n`);
  edit(1);
  const compiler = webpack({
    mode: "development",
    context: folder,
    entry: "./main.js",
    output: { path: folder },
    resolve: { modules: [join(require.resolve("webpack-dev-server/package.json"), "..", "..")] },
    infrastructureLogging: { level: "none" },
    stats: "none",
  });
  const port = "auto";
  const server = new WebpackDevServer({ host: "127.0.0.1", port, static: false }, compiler);
  try {
    await server.start();
    const url = `http://127.0.0.1:${server.options.port}`;
    await play(new HotClient(url), { server, url, edit: () => edit(2) });
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

export const webpackDevServer: WsUser = {
  row: "webpack-dev-server",
  packageName: "webpack-dev-server",
  change: "`overrides` in package.json",

  messages: () =>
    withDevServer(async (page, { server, url, edit }) => {
      const before = (await page.next("hash")) as string;
      await page.next("ok");
      assert.ok(isOnHoldfast(server.webSocketServer?.clients[0]));
      edit();
      const after = (await page.next("hash")) as string;
      await page.next("ok");
      assert.notEqual(after, before);
      // The page loads what the message announces.
      const update = await fetch(`${url}/main.${before}.hot-update.js`);
      assert.match(await update.text(), /version 2/);
    }),

  endings: () =>
    withDevServer(async (page, { server, url }) => {
      await page.next("ok");
      const second = new HotClient(url);
      await second.next("ok");
      assert.equal(server.webSocketServer?.clients.length, 2);
      second.socket.close();
      await once(second.socket, "close");
      while (server.webSocketServer.clients.length > 1) await new Promise(setImmediate);
      const closed = once(page.socket, "close") as Promise<[number]>;
      await server.stop();
      assert.equal((await closed)[0], 1006); // It terminates its clients.
    }),
};
