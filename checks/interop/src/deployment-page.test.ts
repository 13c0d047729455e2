// Tests the configurations in docs/deployment.md as they are, except for the ports.

import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect, serve, type Address, type Server } from "holdfast";
import { testCertificates } from "holdfast-testkit";
import { findExecutable, type Executable } from "./peers/executables.js";
import { apache } from "./proxies/apache.js";
import { caddy } from "./proxies/caddy.js";
import { kindOf, type DocumentedProxy, type TlsFiles } from "./proxies/documented.js";
import { haproxy } from "./proxies/haproxy.js";
import { nginx } from "./proxies/nginx.js";
import { Proxy } from "./proxies/proxy.js";

const installedBy = "scripts/install-peers.sh proxies";
const page = new URL("../../../docs/deployment.md", import.meta.url);

const PROXIES: readonly {
  /** The language of the code block. */
  readonly language: string;
  readonly program: string;
  readonly make: (executable: Executable) => DocumentedProxy;
}[] = [
  { language: "nginx", program: "nginx", make: documentedNginx },
  { language: "apache", program: "apache2", make: apache },
  { language: "haproxy", program: "haproxy", make: documentedHaproxy },
  { language: "caddyfile", program: "caddy", make: caddy },
];

for (const { language, program, make } of PROXIES) {
  const found = findExecutable([program], { installedBy });
  for (const scheme of ["http", "https"] as const) {
    test(
      `Docs G10: the configuration of deployment.md for ${program} passes messages, pings, a page's origin and the client's address, over ${scheme}`,
      { skip: found.skip, timeout: 60_000 },
      async () => {
        const folder = await mkdtemp(join(tmpdir(), "holdfast-certificates-"));
        try {
          const { ca } = await testCertificates();
          const tls = scheme === "https" ? await writeCertificates(folder) : null;
          await passesAll(kindOf(make(found), await blockOf(language), tls), ca, scheme);
        } finally {
          await rm(folder, { recursive: true });
        }
      },
    );
  }
}

{
  const found = findExecutable(["nginx"], { installedBy });
  test(
    "Docs G4: nginx with several servers, as in deployment.md, passes clients that come while one closes to the other",
    { skip: found.skip, timeout: 60_000 },
    async () => {
      const homes: string[] = [];
      const start = (name: string): Promise<Server> =>
        serve(
          async (connection) => {
            homes.push(name);
            await connection.closed;
          },
          { host: "127.0.0.1", trustProxy: 1 },
        );
      await using first = await start("first");
      await using second = await start("second");
      const [server, upstream, retry] = [
        await blockOf("nginx", 0),
        await blockOf("nginx", 1),
        await blockOf("nginx", 2),
      ];
      const proxyPass = "proxy_pass http://127.0.0.1:8080;";
      assert.ok(server.includes(proxyPass));
      const block = `${upstream}${server.replace(proxyPass, `proxy_pass http://holdfast;\n${retry}`)}`;
      const kind = kindOf(
        documentedNginx(found),
        block.replace("127.0.0.1:8081", `127.0.0.1:${second.port}`),
        null,
      );
      await using proxy = await Proxy.start(kind, { backendPort: first.port });
      const url = proxy.url.replace(/^http/, "ws");
      const connectSeveral = async (): Promise<void> => {
        for (let count = 0; count < 6; count++) await connect(url, { pingInterval: null });
      };
      await connectSeveral();
      assert.deepEqual(new Set(homes), new Set(["first", "second"]));
      homes.length = 0;
      const closing = first.close({ spread: 500, timeout: 10_000 });
      await connectSeveral();
      assert.deepEqual(new Set(homes), new Set(["second"]));
      await closing;
      await connectSeveral();
      assert.deepEqual(new Set(homes), new Set(["second"]));
      await second.close({ timeout: 1_000 });
    },
  );
}

async function passesAll(
  kind: ReturnType<typeof kindOf>,
  ca: string,
  scheme: "http" | "https",
): Promise<void> {
  const seen: { address: Address | null; url: string }[] = [];
  await using server = await serve(
    (connection, request) => {
      seen.push({ address: connection.remoteAddress, url: request.url });
      return connection.forEach((message) => connection.send(message));
    },
    {
      host: "127.0.0.1",
      trustProxy: 1,
      onRequest: ({ isUpgrade }) => (isUpgrade ? undefined : new Response("ok")),
    },
  );
  await using proxy = await Proxy.start(kind, { backendPort: server.port });
  const { port } = new URL(proxy.url);
  const url = `${scheme === "https" ? "wss" : "ws"}://127.0.0.1:${port}/chat`;

  // The request of a page on that host. The host is not a loopback name, for which the server would ignore
  // port and scheme.
  const host = `chat.example:${port}`;
  const options = {
    tls: { ca, servername: "localhost" },
    localAddress: "127.0.0.2",
    // Headers with which a client may lie about itself.
    headers: { Host: host, "X-Forwarded-For": "203.0.113.9", Forwarded: "for=203.0.113.9;host=evil.example" },
  };
  await using connection = await connect(url, { ...options, origin: `${scheme}://${host}` });
  await connection.send("through");
  assert.equal(await connection.recv(), "through");
  assert.ok((await connection.ping()) > 0);
  assert.deepEqual(seen, [{ address: { address: "127.0.0.2", port: 0 }, url: `${scheme}://${host}/chat` }]);

  const otherScheme = scheme === "https" ? "http" : "https";
  for (const origin of [`${otherScheme}://${host}`, `${scheme}://chat.example`, `${scheme}://evil.example`]) {
    await assert.rejects(connect(url, { ...options, origin }), { status: 403 }, origin);
  }
}

/** nginx writes its files into the folder. */
function documentedNginx(found: Executable): DocumentedProxy {
  return {
    ...nginx(found),
    complete: (block, { folder, port, tls }) => `
    ${process.getuid?.() === 0 ? "user root;" : ""}
    daemon off;
    worker_processes 1;
    pid ${folder}/pid;
    error_log stderr notice;
    events {}
    http {
      access_log off;
      ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
      ${block.replace(
        "listen 80;",
        tls === null
          ? `listen 127.0.0.1:${port};`
          : `listen 127.0.0.1:${port} ssl; ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};`,
      )}
    }`,
  };
}

function documentedHaproxy(found: Executable): DocumentedProxy {
  return {
    ...haproxy(found),
    complete: (block, { port, tls }) =>
      block.replace("bind :80", `bind 127.0.0.1:${port}${tls === null ? "" : ` ssl crt ${tls.both}`}`),
  };
}

async function writeCertificates(folder: string): Promise<TlsFiles> {
  const { key, cert } = (await testCertificates()).server;
  const files = {
    cert: join(folder, "cert.pem"),
    key: join(folder, "key.pem"),
    both: join(folder, "both.pem"),
  };
  await chmod(folder, 0o755);
  await writeFile(files.cert, cert);
  await writeFile(files.key, key);
  await writeFile(files.both, `${cert}\n${key}`);
  return files;
}

async function blockOf(language: string, index = 0): Promise<string> {
  const blocks = (await readFile(page, "utf8")).matchAll(
    new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"),
  );
  const block = [...blocks][index]?.[1];
  assert.ok(block !== undefined, `docs/deployment.md has block ${index} for ${language}`);
  return block;
}
