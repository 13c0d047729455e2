// The configurations that docs/deployment.md shows, as they stand there, but for the ports.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { connect, serve } from "holdfast";
import { findExecutable } from "./peers/executables.js";
import { haproxy } from "./proxies/haproxy.js";
import { nginx } from "./proxies/nginx.js";
import { Proxy, type ProxyKind } from "./proxies/proxy.js";

const installedBy = "scripts/install-peers.sh proxies";
const page = new URL("../../docs/deployment.md", import.meta.url);

/** What a configuration file needs around the block. nginx writes its files into the folder. */
const surroundings: Readonly<Record<string, (block: string, folder: string) => string>> = {
  haproxy: (block) => block,
  nginx: (block, folder) => `
    ${process.getuid?.() === 0 ? "user root;" : ""}
    daemon off;
    worker_processes 1;
    pid ${folder}/pid;
    error_log stderr notice;
    events {}
    http {
      access_log off;
      ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
      ${block}
    }`,
};

for (const [language, make] of [
  ["nginx", nginx],
  ["haproxy", haproxy],
] as const) {
  const found = findExecutable([language], { installedBy });
  test(
    `Docs: the configuration of deployment.md for ${language} passes messages, pings and a browser's origin`,
    { skip: found.skip, timeout: 30_000 },
    async () => {
      const block = await blockOf(language);
      await using server = await serve(
        (connection) => connection.forEach((message) => connection.send(message)),
        {
          host: "127.0.0.1",
          onRequest: ({ isUpgrade }) => (isUpgrade ? undefined : new Response("ok")),
        },
      );
      const kind: ProxyKind = {
        ...make(found),
        configure: ({ port, backendPort, folder }) =>
          (surroundings[language]?.(block, folder) ?? block)
            .replace(/(listen|bind) (:?)80\b/, (_match, word: string) => `${word} 127.0.0.1:${port}`)
            .replaceAll("127.0.0.1:8080", `127.0.0.1:${backendPort}`),
      };
      await using proxy = await Proxy.start(kind, { backendPort: server.port });
      // As a page of that host would: the server compares it with the `Host` that the proxy passes on.
      const origin = new URL(proxy.url).origin.replace(/^ws/, "http");
      await using connection = await connect(proxy.url, { origin });
      await connection.send("through");
      assert.equal(await connection.recv(), "through");
      assert.ok((await connection.ping()) > 0);
    },
  );
}

async function blockOf(language: string): Promise<string> {
  const block = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "ms").exec(
    await readFile(page, "utf8"),
  )?.[1];
  assert.ok(block !== undefined, `docs/deployment.md has a block for ${language}`);
  return block;
}
