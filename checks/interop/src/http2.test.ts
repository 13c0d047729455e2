// WebSockets over HTTP/2 (RFC 8441) with third parties: HAProxy between both ends, and Chromium as the
// client.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { connect, InvalidStatusError, serve, type Connection } from "holdfast";
import { testCertificates } from "holdfast-testkit";
import { chromium } from "playwright-core";
import { CHROMIUM_FLAGS } from "./chromium/chromium-peer.js";
import { findExecutable } from "./peers/executables.js";
import { haproxy } from "./proxies/haproxy.js";
import { Proxy, type ProxyKind } from "./proxies/proxy.js";

const haproxyFound = findExecutable(["haproxy"], { installedBy: "scripts/install-peers.sh proxies" });
const chromiumFound = findExecutable(["chromium", "chromium-browser", "google-chrome"], {
  variable: "HOLDFAST_CHROMIUM",
  installedBy: "scripts/install-peers.sh browser",
});

/** HAProxy with the given HTTP versions on its two sides, without TLS. */
function haproxySpeaking(front: 1 | 2, back: 1 | 2): ProxyKind {
  const kind = haproxy(haproxyFound);
  return {
    ...kind,
    configure: (options) =>
      kind
        .configure(options)
        .replace(/bind \S+/, (bind) => (front === 2 ? `${bind} proto h2` : bind))
        .replace(/server one \S+/, (server) => (back === 2 ? `${server} proto h2` : server)),
  };
}

describe("HAProxy", () => {
  for (const [front, back] of [
    [2, 1],
    [1, 2],
    [2, 2],
  ] as const) {
    test(
      `B9: HAProxy forwards a WebSocket from HTTP/${front} to HTTP/${back}`,
      { skip: haproxyFound.skip },
      async () => {
        const accepted: Connection[] = [];
        const server = await serve(
          (connection) => {
            accepted.push(connection);
            return connection.forEach((message) => connection.send(message));
          },
          {
            host: "127.0.0.1",
            http2: back === 2,
            compression: true,
            onRequest: ({ target }) =>
              target === "/closed" ? new Response("no", { status: 403 }) : undefined,
          },
        );
        const proxy = await Proxy.start(haproxySpeaking(front, back), { backendPort: server.port });
        const options = { http2: front === 2, compression: true };
        try {
          const connection = await connect(`${proxy.url}chat?a=b`, options);
          const messages = ["hello", "", new Uint8Array(1024 * 1024).fill(7), "compressible ".repeat(10_000)];
          for (const message of messages) {
            void connection.send(message);
            assert.deepEqual(await connection.recv({ timeout: 30_000 }), message);
          }
          assert.ok((await connection.ping()) > 0);
          assert.deepEqual(
            [connection.response.status, accepted[0]?.request.method, accepted[0]?.request.target],
            [front === 2 ? 200 : 101, back === 2 ? "CONNECT" : "GET", "/chat?a=b"],
          );
          assert.equal(
            (await connection.close(4001, "done")).message,
            "sent 4001 (private use) done; then received 4001 (private use) done",
          );
          assert.equal((await accepted[0]?.closed)?.code, 4001);
          const refused = connect(`${proxy.url}closed`, options);
          await assert.rejects(
            refused,
            (error) => error instanceof InvalidStatusError && error.status === 403,
          );
          const cut = await connect(proxy.url, options);
          accepted[1]?.terminate();
          assert.equal((await cut.closed).initiator, "network");
        } finally {
          await server.close();
          await proxy[Symbol.asyncDispose]();
        }
      },
    );
  }
});

describe("Chromium over HTTP/2", () => {
  test(
    "B9: a page loaded over HTTP/2 opens its WebSocket on the same connection",
    { skip: chromiumFound.skip },
    async () => {
      const { server: tls } = await testCertificates();
      const accepted: Connection[] = [];
      const pages: unknown[] = [];
      const server = await serve(
        (connection) => {
          accepted.push(connection);
          return connection.forEach((message) => connection.send(`echo ${String(message)}`));
        },
        {
          host: "127.0.0.1",
          http2: true,
          tls,
          compression: true,
          onRequest: ({ isUpgrade, target, remoteAddress }) => {
            if (isUpgrade) return undefined;
            if (target === "/") pages.push(remoteAddress);
            return new Response("<!doctype html><title>Holdfast</title>", {
              headers: { "Content-Type": "text/html" },
            });
          },
        },
      );
      const profile = await mkdtemp(join(tmpdir(), "holdfast-chromium-"));
      const context = await chromium.launchPersistentContext(profile, {
        executablePath: chromiumFound.path,
        headless: true,
        args: CHROMIUM_FLAGS,
        ignoreHTTPSErrors: true,
      });
      try {
        const page = context.pages()[0] ?? (await context.newPage());
        await page.goto(server.url.replace("wss:", "https:"));
        const answers = await page.evaluate(`(${openTwo.toString()})(${JSON.stringify(server.url)})`);
        assert.deepEqual(answers, ["echo first", "echo second"]);
        assert.deepEqual(
          accepted.map(({ request, remoteAddress, extensions }) => [
            request.method,
            remoteAddress,
            extensions.length,
          ]),
          [
            ["CONNECT", pages[0], 1],
            ["CONNECT", pages[0], 1],
          ],
        );
        const infos = await Promise.all(accepted.map(({ closed }) => closed));
        assert.deepEqual(
          infos.map(({ message }) => message),
          Array(2).fill("received 4002 (private use) enough; then sent 4002 (private use) enough"),
        );
      } finally {
        await context.close();
        await server.close();
        await rm(profile, { recursive: true, force: true, maxRetries: 3 });
      }
    },
  );
});

/** Runs in the page. */
function openTwo(url: string): Promise<unknown[]> {
  const talk = (text: string) =>
    new Promise((resolve) => {
      const socket = new WebSocket(url);
      let answer: unknown;
      socket.onopen = () => socket.send(text);
      socket.onmessage = ({ data }) => {
        answer = data;
        socket.close(4002, "enough");
      };
      socket.onclose = () => resolve(answer);
    });
  return Promise.all([talk("first"), talk("second")]);
}
