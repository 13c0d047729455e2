// Queries carry tickets and tokens: no error and no log line may show them.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import {
  connect,
  connectPersistent,
  explain,
  reconnect,
  serve,
  type ConnectOptions,
  type Logger,
} from "holdfast";
import { RawServer } from "holdfast-testkit";

const TICKET = "t1cket";

/** Records every argument. */
function notingLogger(lines: string[]): Logger {
  const note = (message: string, details?: object) =>
    void lines.push(message, inspect(details, { depth: 10 }));
  return { debug: note, info: note, warn: note, error: note };
}

describe("The query of a URL", () => {
  const failures: readonly (readonly [
    why: string,
    url: (port: number) => string,
    answer: (query: string) => string,
    options?: ConnectOptions,
  ])[] = [
    ["a refusal", (port) => `ws://127.0.0.1:${port}/a`, () => "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"],
    ["garbage", (port) => `ws://127.0.0.1:${port}/a`, () => "garbage\r\n\r\n"],
    ["a time-out", (port) => `ws://127.0.0.1:${port}/a`, () => "", { openTimeout: 100 }],
    ["no TLS", (port) => `wss://127.0.0.1:${port}/a`, () => "HTTP/1.1 400 No\r\n\r\n"],
    [
      "a redirect that is refused",
      (port) => `ws://127.0.0.1:${port}/a`,
      (query) => `HTTP/1.1 302 F\r\nLocation: ftp://a/${query}\r\n\r\n`,
    ],
    [
      "two places to go",
      (port) => `ws://127.0.0.1:${port}/a`,
      (query) => `HTTP/1.1 302 F\r\nLocation: /x${query}\r\nLocation: /y${query}\r\n\r\n`,
    ],
    [
      "a place that is no URL",
      (port) => `ws://127.0.0.1:${port}/a`,
      (query) => `HTTP/1.1 302 F\r\nLocation: ws://a:99999/${query}\r\n\r\n`,
    ],
    [
      "a redirect to nowhere",
      (port) => `ws://127.0.0.1:${port}/a`,
      (query) => `HTTP/1.1 302 F\r\nLocation: ws://127.0.0.1:1/${query}\r\n\r\n`,
    ],
    [
      "a circle",
      (port) => `ws://127.0.0.1:${port}/a`,
      (query) => `HTTP/1.1 302 F\r\nLocation: /b${query}\r\n\r\n`,
      { maxRedirects: 3 },
    ],
    ["nobody there", () => "ws://127.0.0.1:1/a", () => ""],
    ["a proxy that is not there", () => "ws://name.test/a", () => "", { proxy: "http://127.0.0.1:1" }],
    ["no name", () => "ws://nobody.invalid/a", () => ""],
    ["an abort", () => "ws://127.0.0.1:1/a", () => "", { signal: AbortSignal.abort() }],
  ];
  for (const [why, url, answer, options] of failures) {
    test(`J1: is in no error, no explanation and no log: ${why}`, async () => {
      const query = `?ticket=${TICKET}`;
      await using server = await RawServer.start({}, async (peer) => {
        if (peer.received.length === 0 && why !== "no TLS") await peer.readHead();
        peer.write(answer(query));
      });
      const lines: string[] = [];
      const given: ConnectOptions = { logger: notingLogger(lines), ...options };
      const error: unknown = await connect(url(server.port) + query, given).catch(
        (reason: unknown) => reason,
      );
      assert(error instanceof Error);
      lines.push(error.message, String(error.stack), inspect(error, { depth: 10 }));
      const attempts = reconnect(url(server.port) + query, { ...given, retryable: () => false });
      const persistent: unknown = await attempts[Symbol.asyncIterator]()
        .next()
        .catch((reason: unknown) => reason);
      lines.push(inspect(persistent, { depth: 10 }));
      assert(
        !lines
          .join("\n")
          .replaceAll(/location: '.*'/gi, "")
          .includes(TICKET),
        lines.join("\n"),
      );
      await server.close();
    });
  }

  for (const input of [
    `ws://host:99999/?ticket=${TICKET}`,
    `ftp://host/?ticket=${TICKET}`,
    `ws://host/?ticket=${TICKET}#part`,
    `ws:///?ticket=${TICKET}`,
    `/relative?ticket=${TICKET}`,
    `ws+unix:relative.sock:/?ticket=${TICKET}`,
  ]) {
    test(`J1: is not in the error about the URL ${input.replace(TICKET, "…")}`, async () => {
      const error: unknown = await connect(input).catch((reason: unknown) => reason);
      assert(error instanceof Error);
      assert.match(error.message, /\?…"/);
      assert(!inspect(error).includes(TICKET), inspect(error));
    });
  }

  test("J1: is in no line of an open connection, on either side; `connection.url` has it", async () => {
    const lines: string[] = [];
    const logger = notingLogger(lines);
    let atServer = "";
    await using server = await serve(
      (connection) => {
        atServer = connection.url;
        return connection.forEach(() => undefined);
      },
      { host: "127.0.0.1", logger },
    );
    const url = `${server.url}/?ticket=${TICKET}`;
    const connection = await connect(url, { logger });
    assert.deepEqual([connection.url, atServer], [url, url]);
    lines.push(explain(await connection.close()));
    await server.close();
    assert(lines.some((line) => line.includes("connection open")));
    assert(lines.some((line) => line.includes("/?…")));
    assert(!lines.join("\n").includes(TICKET), lines.join("\n"));
  });

  test("J1: is not shown of a request, which prints as one line", async () => {
    const shown: string[] = [];
    await using server = await serve(async (_, request) => void shown.push(inspect(request)), {
      host: "127.0.0.1",
      onRequest: (request) => void shown.push(inspect({ request })),
    });
    await (
      await connect(`${server.url}/chat?ticket=${TICKET}`)
    ).closed;
    const line = `ServerRequest { method: "GET", url: "${server.url.replace("ws:", "http:")}/chat?…", isUpgrade: true }`;
    assert.deepEqual(shown, [`{\n  request: ${line}\n}`, line]);
    await server.close();
  });

  test("J1: is in no line about reconnecting", async () => {
    const lines: string[] = [];
    const nobody = createServer();
    await new Promise<void>((resolve) => nobody.listen(0, "127.0.0.1", resolve));
    const { port } = nobody.address() as { port: number };
    await new Promise((resolve) => nobody.close(resolve));
    const connection = connectPersistent(`ws://127.0.0.1:${port}/?ticket=${TICKET}`, {
      logger: notingLogger(lines),
      firstDelay: 10,
    });
    while (!lines.includes("connection retry")) await new Promise((resolve) => setTimeout(resolve, 10));
    await connection.close();
    assert(!lines.join("\n").includes(TICKET), lines.join("\n"));
  });
});
