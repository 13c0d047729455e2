import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, SeededRandom } from "holdfast-testkit";
import { coreOf } from "../../../build/connection/core-of.js";
import type { ConnectorOptions } from "../../../build/reconnect/connector.js";
import { Supervisor } from "../../../build/reconnect/supervisor.js";
import { SessionPair } from "./session-pair.js";

/** The supervisor that a persistent connection keeps to itself: races can be started at any moment, not only after a suspicion. */
async function withSupervisor(): Promise<{ pair: SessionPair; supervisor: Supervisor<ConnectorOptions> }> {
  const { prototype } = Supervisor;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- Called with its object below.
  const { begin } = prototype;
  let found: Supervisor<ConnectorOptions> | null = null;
  prototype.begin = function () {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- This finds it.
    found ??= this;
    begin.call(this);
  };
  try {
    const pair = await SessionPair.open();
    assert(found !== null);
    return { pair, supervisor: found };
  } finally {
    prototype.begin = begin;
  }
}

function suspect(pair: SessionPair): void {
  const { connection } = pair.client;
  assert(connection !== null);
  coreOf(connection).onSuspect({ level: 0.3, silence: 1_000, expected: 1_000 });
}

test(
  "L1, O3: 300 random races and cuts lose, duplicate and reorder nothing, in either direction",
  { timeout: 120_000 },
  async () => {
    const random = new SeededRandom(20);
    const { pair, supervisor } = await withSupervisor();
    await using _ = pair;
    const { client, connection, proxy } = pair;
    const received = { client: [] as string[], server: [] as string[] };
    const lost: string[] = [];
    let resumed = 0;
    void client.forEach((message) => void received.client.push(String(message)));
    void connection.forEach((message) => void received.server.push(String(message)));
    client.on("lost", ({ reason }) => lost.push(`client: ${reason}`));
    connection.on("lost", ({ reason }) => lost.push(`server: ${reason}`));
    client.on("resumed", () => resumed++);

    const sent = { client: 0, server: 0 };
    const counts = { races: 0, won: 0, cuts: 0 };
    for (let round = 0; round < 300; round++) {
      for (let count = random.integer(0, 8); count > 0; count--) {
        // Some of them take more than one segment.
        const rest = "x".repeat(random.integer(0, 3) === 0 ? 20_000 : 5);
        if (client.queued.messages < 100) void client.send(`${sent.client++} ${rest}`);
        // A session without a socket must not overflow.
        if (connection.session?.isAttached !== true || connection.bufferedAmount > 65_536) continue;
        void connection.send(`${sent.server++} ${rest}`);
      }
      const dice = random.number();
      if (dice < 0.6) {
        const patience = random.integer(0, 4);
        let looks = 0;
        const before = client.connection;
        supervisor.race({
          mayTakeOver: () => patience > 0 || looks++ > 0,
          onRaceOver: () => {
            counts.races++;
            if (client.connection !== before) counts.won++;
          },
        });
        if (random.number() < 0.3) {
          await sleep(random.integer(0, 3));
          supervisor.cancelRace();
        }
      }
      if (dice > 0.4 && dice < 0.7) {
        counts.cuts++;
        proxy.cut({
          kind: random.number() < 0.5 ? "rst" : "fin",
          after: {
            direction: random.number() < 0.5 ? "toServer" : "toClient",
            bytes: random.integer(1, 30_000),
          },
        });
      }
      await sleep(random.integer(0, 12));
    }
    proxy.callOffCut();
    await eventually(
      () => received.client.length >= sent.server && received.server.length >= sent.client,
      "all messages",
    );
    const numbers = (texts: readonly string[]): readonly number[] =>
      texts.map((text) => Number.parseInt(text));
    assert.deepEqual(numbers(received.client), [...Array(sent.server).keys()]);
    assert.deepEqual(numbers(received.server), [...Array(sent.client).keys()]);
    assert.deepEqual(lost, []);
    assert(sent.client > 500 && sent.server > 300, JSON.stringify(sent));
    assert(
      counts.won > 20 && counts.races > counts.won && resumed > counts.won,
      JSON.stringify({ counts, resumed }),
    );
  },
);

test("O3: on suspicion, the session continues on a second socket; a frozen first one is never waited for", async () => {
  await using pair = await SessionPair.open({ client: { detection: "adaptive" } });
  const events: string[] = [];
  for (const name of ["suspect", "detached", "resumed", "lost"] as const) {
    pair.client.on(name, () => events.push(name));
  }
  const first = pair.client.connection;
  pair.proxy.connections[0].freeze();
  const sends = [pair.client.send("c1"), pair.connection.send("s1")];
  suspect(pair);
  await eventually(
    () => pair.client.connection !== first && pair.client.status.state === "open",
    "the second",
  );
  assert.deepEqual(events, ["suspect", "detached", "resumed"].slice(0, events.length));
  await Promise.all(sends);
  assert.equal(await pair.client.recv(), "s1");
  assert.equal(await pair.connection.recv(), "c1");
  assert.equal((await first?.closed)?.sent?.reason, "suspected and replaced");
  assert.equal(pair.connections.length, 1);
});

test("O3: a false alarm costs one handshake: the session stays on its socket, which goes on as before", async () => {
  const { pair, supervisor } = await withSupervisor();
  await using _ = pair;
  const { client, connection, proxy } = pair;
  const events: string[] = [];
  for (const name of ["detached", "resumed", "lost"] as const) {
    client.on(name, () => events.push(`client: ${name}`));
    connection.on(name, () => events.push(`server: ${name}`));
  }
  const first = client.connection;
  let isOver = false;
  supervisor.race({ mayTakeOver: () => false, onRaceOver: () => (isOver = true) });
  await eventually(() => isOver && proxy.connections.length === 1, "the end of the second socket");
  await client.send("c1", { until: "delivered" });
  await connection.send("s1", { until: "delivered" });
  assert.deepEqual(events, []);
  assert.equal(client.connection, first);
  assert.equal(client.status.state, "open");
});

test("O3: if the first socket ends during the race, the second one follows without a delay", async () => {
  const delay = { firstDelay: 30_000, maxDelay: 30_000, minDelay: 30_000 };
  const begun: string[] = [];
  const ignore = (): void => undefined;
  const logger = {
    debug: ignore,
    info: (line: string) => void begun.push(line),
    warn: ignore,
    error: ignore,
  };
  await using pair = await SessionPair.open({ client: { detection: "adaptive", logger, ...delay } });
  const { client, proxy } = pair;
  const states: string[] = [];
  client.on("status", ({ state }) => states.push(state));
  proxy.connections[0].freeze();
  await proxy.accept("mute");
  suspect(pair);
  await eventually(() => begun.includes("connection suspected"), "the race");
  proxy.connections[0].cut({ kind: "rst" });
  await eventually(() => states.includes("connecting"), "the end of the first socket");
  assert.deepEqual(states, ["open", "connecting"]); // Rather than "waiting".
});

test("O3: close() and terminate() during a race leave no socket behind", async () => {
  for (const end of ["close", "terminate"] as const) {
    const { pair, supervisor } = await withSupervisor();
    await using _ = pair;
    supervisor.race({ mayTakeOver: () => true, onRaceOver: () => undefined });
    void pair.client[end]();
    await pair.client.closed;
    await eventually(() => pair.proxy.connections.length === 0, "the end of all sockets");
  }
});
