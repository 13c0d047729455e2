// The operated server: metrics, health and readiness, and the files of deploy/ that refer to them.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connect } from "holdfast";
import { parseAllDocuments } from "yaml";
import { startServer, type OperatedServer } from "../server.js";

const deploy = (name: string): Promise<string> =>
  readFile(new URL(`../../deploy/${name}`, import.meta.url), "utf8");
/** For `test(title, { skip })`. */
const withoutSystemd = await promisify(execFile)("systemd-analyze", ["--version"]).then(
  () => false,
  () => "there is no systemd-analyze",
);
const MAIN = fileURLToPath(new URL("../main.js", import.meta.url));

describe("Example: operations", () => {
  let operated: OperatedServer;
  let base: string;
  before(async () => {
    operated = await startServer(0, "127.0.0.1");
    base = `http://127.0.0.1:${operated.server.port}`;
  });
  after(async () => operated.server.close());

  /** The samples, by name and labels. */
  async function samples(): Promise<ReadonlyMap<string, number>> {
    const text = await (await fetch(`${base}/metrics`)).text();
    return new Map(
      text.split("\n").flatMap((line): [string, number][] => {
        const [, name, value] = /^([^#]\S*(?:{.*})?) (\S+)$/.exec(line) ?? [];
        return name === undefined ? [] : [[name, Number(value)]];
      }),
    );
  }

  test("J2: Prometheus gets the messages and bytes of a connection while it is open, and its cause when it has ended", async () => {
    const connection = await connect(operated.server.url);
    await connection.send("hello");
    await connection.recv();
    const open = await samples();
    assert.equal(open.get('websocket_messages_total{direction="received"}'), 1 + 1); // Both ends are in this process.
    assert.equal(open.get("websocket_connections"), 2);
    assert.ok((open.get('websocket_bytes_total{direction="sent"}') ?? 0) >= 2 * "hello".length);
    await connection.close();
    while ((await samples()).get("websocket_connections") !== 0) await new Promise(setImmediate);
    const ended = await samples();
    assert.equal(ended.get('websocket_closed_total{cause="local-close",ok="true"}'), 1);
    assert.equal(ended.get('websocket_closed_total{cause="peer-close",ok="true"}'), 1);
    assert.equal(ended.get('websocket_messages_total{direction="received"}'), 2);
    assert.equal(ended.get("websocket_duration_seconds_count"), 2);
  });

  test("J2: the paths that Kubernetes asks answer 200, and the times fit", async () => {
    const documents = parseAllDocuments(await deploy("kubernetes.yaml"));
    assert.deepEqual(
      documents.flatMap(({ errors }) => errors),
      [],
    );
    const [deployment, service] = documents.map((document) => document.toJS() as Manifest);
    assert.ok(deployment?.spec.template !== undefined && service !== undefined);
    const { spec, metadata } = deployment.spec.template;
    const [container] = spec.containers;
    assert.ok(container !== undefined);
    for (const { httpGet } of [container.livenessProbe, container.readinessProbe]) {
      assert.equal((await fetch(`${base}${httpGet.path}`)).status, 200, httpGet.path);
      assert.equal(httpGet.port, container.ports[0]?.name);
    }
    assert.equal((await fetch(`${base}${metadata.annotations["prometheus.io/path"] ?? ""}`)).status, 200);
    const [command, seconds] = container.lifecycle.preStop.exec.command;
    const spread = Number(container.env[0]?.value) / 1_000;
    assert.equal(command, "sleep");
    assert.ok(Number(seconds) + spread + 5 < spec.terminationGracePeriodSeconds);
    assert.deepEqual(service.spec.selector, deployment.spec.selector?.["matchLabels"]);
    assert.deepEqual(service.spec.selector, metadata.labels);
  });

  test("J2: every query of the Grafana dashboard names metrics that the server has", async () => {
    const names = new Set([...(await samples()).keys()].map((sample) => sample.replace(/{.*/, "")));
    const { panels } = JSON.parse(await deploy("grafana.json")) as {
      panels: { targets: { expr: string }[] }[];
    };
    const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const used = queries.flatMap((query) => query.match(/\b(websocket|nodejs|process)_\w+/g) ?? []);
    assert.ok(used.length >= queries.length);
    // A counter with labels has no sample until it has counted; its metric is declared nevertheless.
    const text = await (await fetch(`${base}/metrics`)).text();
    const isKnown = (name: string): boolean => names.has(name) || text.includes(`# TYPE ${name} `);
    assert.deepEqual(
      used.filter((name) => !isKnown(name)),
      [],
    );
  });

  test("J2: readiness ends before the connections do", async () => {
    const connection = await connect(operated.server.url);
    operated.announceEnd();
    assert.equal((await fetch(`${base}/readyz`)).status, 503);
    assert.equal((await fetch(`${base}/healthz`)).status, 200);
    await connection.send("still here");
    assert.equal(await connection.recv(), "still here");
    await connection.close();
  });

  test(
    "J2: the process closes with 1001 on SIGTERM, and exits with 0",
    { skip: process.platform === "win32" && "no SIGTERM" },
    async () => {
      const program = spawn(process.execPath, [MAIN], {
        env: { ...process.env, PORT: "0", HOST: "127.0.0.1", SPREAD: "0" },
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exit = once(program, "exit");
      const [line] = (await once(program.stdout.setEncoding("utf8"), "data")) as [string];
      const connection = await connect(/ws:\S+/.exec(line)?.[0] ?? "");
      program.kill("SIGTERM");
      const { code, reason } = await connection.closed;
      assert.deepEqual({ code, reason }, { code: 1001, reason: "update" });
      assert.deepEqual(await exit, [0, null]);
    },
  );

  test("J2: systemd accepts the unit", { skip: withoutSystemd }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-unit-"));
    try {
      const unit = (await deploy("holdfast.service"))
        .replace("/usr/bin/node", process.execPath)
        .replace("/opt/holdfast/dist/main.js", MAIN);
      const file = join(folder, "holdfast.service");
      await writeFile(file, unit);
      const { stdout, stderr } = await promisify(execFile)("systemd-analyze", ["verify", "--man=no", file]);
      const about = `${stdout}${stderr}`.split("\n").filter((each) => each.includes("holdfast.service"));
      assert.deepEqual(about, []);
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  });
});

interface Manifest {
  readonly spec: {
    readonly selector?: Readonly<Record<string, unknown>>;
    readonly template?: {
      readonly metadata: {
        readonly labels: Readonly<Record<string, string>>;
        readonly annotations: Readonly<Record<string, string>>;
      };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly {
          readonly ports: readonly { readonly name: string }[];
          readonly env: readonly { readonly value: string }[];
          readonly livenessProbe: Probe;
          readonly readinessProbe: Probe;
          readonly lifecycle: {
            readonly preStop: { readonly exec: { readonly command: readonly [string, string] } };
          };
        }[];
      };
    };
  };
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
