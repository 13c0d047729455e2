import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server as NetServer } from "node:net";
import { describe, test } from "node:test";
import fc from "fast-check";
import { attach, serve, type Server } from "../../build/index.js";
import { eventually, RawClient, testCertificates } from "holdfast-testkit";
import { parseAuthority } from "../../build/protocol/handshake/authority.js";
import {
  END_HEADERS,
  END_STREAM,
  headerBlock,
  http2Attacker,
  http2Frame,
  TYPE,
  upgradeFields,
  upgradeFrame,
} from "./http2-frames.js";

const INVALID = [
  "",
  "user@localhost",
  "user:password@localhost",
  "@localhost",
  "local host",
  "localhost evil.example",
  "localhost, evil.example",
  "localhost:99999",
  "localhost:80a",
  "localhost:-1",
  "localhost:80:80",
  "localhost/",
  "localhost/path",
  "localhost?query",
  "localhost#fragment",
  "http://localhost",
  "localhost\\evil.example",
  "local%host",
  "[::1",
  "::1",
  "[]",
  "[:]",
  "[:::]",
  "[1]",
  "[::1]evil.example",
  "[::1].evil.example",
  "[::g]",
  "[1:2:3:4:5:6:7]",
  "[1:2:3:4:5:6:7:8:9]",
  "[1::2::3]",
  "[12345::]",
  "[::1.2.3.256]",
  "[::1.2.3]",
  "[1.2.3.4::]",
  "[fe80::1%25eth0]",
  "<localhost>",
  // RFC 3986 allows these names, but no URL may have them (URL Standard section 3.5).
  "256.256.256.256",
  "1.2.3.4.5",
  "0x100000000",
  "a%00",
  "a%2f",
];
const VALID = [
  "localhost",
  "LOCALHOST:8080",
  "localhost:",
  "xn--bcher-kva.example",
  "under_score.example.",
  "127.0.0.1:80",
  "[::]",
  "[::1]:443",
  "[1:2:3:4:5:6:7:8]",
  "[1::]",
  "[::ffff:192.0.2.1]",
  "[1:2:3:4:5:6:192.0.2.1]",
  "a%2Db",
  "a..b",
  "1.example",
  "-",
];

const UPGRADE =
  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

/** The URLs of the requests that the application received. */
class Seen {
  readonly urls: string[] = [];
  readonly note = ({ url }: { url: string }): undefined => void this.urls.push(url);
}

async function statusOf(client: RawClient, request: string): Promise<string> {
  client.write(request);
  const { startLine } = await client.readHead();
  await client.close();
  return startLine.slice("HTTP/1.1 ".length, "HTTP/1.1 ".length + 3);
}

/** The response status of each stream, or "reset". */
async function http2Statuses(client: RawClient, streams: number): Promise<Map<number, string>> {
  const answers = new Map<number, string>();
  await eventually(
    () => {
      const bytes = Buffer.from(client.received);
      for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
        const stream = bytes.readUInt32BE(at + 5);
        const type = bytes[at + 3];
        if (stream === 0 || answers.has(stream)) continue;
        if (type === TYPE.rst) answers.set(stream, "reset");
        // RFC 7541 appendix A: indexed fields of the static table.
        if (type === TYPE.headers)
          answers.set(stream, { 0x88: "200", 0x8c: "400" }[bytes[at + 9]] ?? `other ${bytes[at + 9]}`);
      }
      return answers.size === streams;
    },
    "the answers",
    10_000,
  );
  return answers;
}

async function listen(httpServer: NetServer): Promise<number> {
  await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
  return (httpServer.address() as AddressInfo).port;
}

describe("A request whose Host is invalid", () => {
  test("H: the grammar of an authority is that of RFC 3986 section 3.2.2, without user info", () => {
    assert.deepEqual(
      INVALID.filter((host) => parseAuthority(host) !== null),
      [],
    );
    assert.deepEqual(
      VALID.filter((host) => parseAuthority(host) === null),
      [],
    );
  });

  test("H: the name of an authority may be that of a URL, as the URL parser decides", () => {
    const parts = fc.constantFrom(
      "a",
      "b-",
      "-",
      "_",
      "0",
      "9",
      "0x",
      "f",
      "xn--",
      ".",
      "%41",
      "%2f",
      "~",
      "256",
    );
    fc.assert(
      fc.property(fc.array(parts, { minLength: 1, maxLength: 6 }), (list) => {
        const host = list.join("");
        assert.equal(parseAuthority(host) !== null, URL.canParse(`http://${host}`), host);
      }),
      { numRuns: 5_000 },
    );
  });

  test("H: gets 400 from serve(), upgrade or not, before onRequest and the handler see it", async () => {
    const seen = new Seen();
    const server = await serve(seen.note, { host: "127.0.0.1", onRequest: seen.note });
    const hosts = [
      ...INVALID.map((host) => `Host: ${host}\r\n`),
      "",
      "Host: localhost\r\nHost: localhost\r\n",
      "Host: localhost\r\nX: y\r\nhost: evil.example\r\n",
    ];
    for (const host of hosts) {
      for (const rest of ["", UPGRADE]) {
        const client = await RawClient.connect({ port: server.port, timeout: 30_000 });
        assert.equal(await statusOf(client, `GET / HTTP/1.1\r\n${host}${rest}\r\n`), "400", host);
      }
    }
    for (const target of ["http://user@localhost/", "http://evil.example/", "http://localhost:1/", "*"]) {
      const client = await RawClient.connect({ port: server.port, timeout: 30_000 });
      const request = `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
      assert.equal(await statusOf(client, request), "400", target);
    }
    assert.deepEqual(seen.urls, []);
    await server.close({ timeout: 5_000 });
  });

  test("H: gets 400 from attach(), before `path`, onRequest and the handler see it", async () => {
    const seen = new Seen();
    const routed: string[] = [];
    for (const path of [
      undefined,
      "/chat",
      /^\/chat/,
      (request: { url: string }) => (seen.note(request), true),
    ]) {
      const httpServer = createServer({ requireHostHeader: false }, (request, response) => {
        routed.push(String(request.headers.host));
        response.end();
      });
      const port = await listen(httpServer);
      const server = attach(httpServer, seen.note, {
        onRequest: seen.note,
        ...(path === undefined ? {} : { path }),
      });
      for (const host of ["", ...INVALID.map((text) => `Host: ${text}\r\n`), "Host: a\r\nHost: b\r\n"]) {
        const client = await RawClient.connect({ port, timeout: 30_000 });
        assert.equal(await statusOf(client, `GET /chat HTTP/1.1\r\n${host}${UPGRADE}\r\n`), "400", host);
      }
      await server.close({ timeout: 5_000 });
      httpServer.closeAllConnections();
      await new Promise((resolve) => httpServer.close(resolve));
    }
    assert.deepEqual([seen.urls, routed], [[], []]);
  });

  for (const kind of ["serve()", "serve() over TLS", "attach()"] as const) {
    test(`H: over HTTP/2 :authority counts, and a Host that names another one: ${kind}`, async () => {
      const { server: tls, ca } = await testCertificates();
      const seen = new Seen();
      let server: Server;
      let httpServer: NetServer | null = null;
      const options = { onRequest: seen.note, pingInterval: null };
      if (kind === "attach()") {
        httpServer = createHttp2Server();
        await listen(httpServer);
        server = attach(httpServer, () => undefined, options);
      } else {
        const secure = kind === "serve() over TLS" ? { tls } : {};
        server = await serve(() => undefined, { host: "127.0.0.1", http2: true, ...secure, ...options });
      }
      const scheme = kind === "serve() over TLS" ? "https" : "http";
      const refused: (readonly [authority: string | null, host: readonly string[]])[] = [
        ...INVALID.map((host) => [host, []] as const),
        [null, []],
        ["localhost", ["evil.example"]],
        ["localhost", ["localhost:81"]],
        ["localhost", [""]],
        [null, ["localhost", "evil.example"]],
        [null, ["user@localhost"]],
      ];
      const accepted: typeof refused = [
        ["localhost", []],
        ["localhost", ["LocalHost"]],
        ["localhost", [scheme === "https" ? "localhost:443" : "localhost:80"]],
      ];
      const all = [...refused, ...accepted];
      const client = await http2Attacker({
        port: server.port,
        timeout: 30_000,
        ...(kind === "serve() over TLS" ? { tls: { ca } } : {}),
      });
      all.forEach(([authority, hosts], index) => {
        const fields = upgradeFields(
          hosts.map((host) => ["host", host] as const),
          authority,
        ).map(([name, value]) => [name, name === ":scheme" ? scheme : value] as const);
        client.write(upgradeFrame(2 * index + 1, [...fields]));
      });
      const answers = await http2Statuses(client, all.length);
      all.forEach(([authority, hosts], index) => {
        const answer = answers.get(2 * index + 1) ?? "";
        const expected = index < refused.length ? /^(?:400|reset)$/ : /^200$/;
        assert.match(answer, expected, `${authority} ${hosts.join()}`);
      });
      assert.equal(seen.urls.length, accepted.length);

      // Newer versions of Node reject such a Host before the server sees it.
      const invalid = 2 * all.length + 101;
      client.write(upgradeFrame(invalid, upgradeFields([["host", "user@localhost"]])));
      await http2Statuses(client, all.length + 1);
      assert.ok(!seen.urls.some((url) => url.includes("@")));
      seen.urls.length = accepted.length;

      if (kind !== "attach()") {
        const plain = invalid + 2;
        const fields = [
          [":method", "GET"],
          [":scheme", scheme],
          [":path", "/"],
          [":authority", "user@localhost"],
        ] as const;
        client.write(http2Frame(TYPE.headers, END_HEADERS | END_STREAM, plain, headerBlock(fields)));
        assert.match((await http2Statuses(client, all.length + 2)).get(plain) ?? "", /^(?:400|reset)$/);
        assert.equal(seen.urls.length, accepted.length);
      }
      await client.close();
      await server.close({ timeout: 5_000 });
      httpServer?.close();
    });
  }
});
