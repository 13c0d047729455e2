// Sessions that outlive their lifetime or a step of the server's clock, in a store that several servers sweep.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { eventually, FakeClock } from "holdfast-testkit";
import {
  memoryStore,
  serve,
  type Connection,
  type Server,
  type ServerSessionOptions,
} from "../../../build/index.js";
import { SessionPeer, type Ticket } from "./session-peer.js";
import { storeWith } from "./store-with.js";

const SPREAD = "^spread 100";

let clock: FakeClock;
let restore: () => void;
let connections: Connection[];
let servers: Server[];
let peers: SessionPeer[];

beforeEach(() => {
  clock = new FakeClock();
  restore = clock.install();
  [connections, servers, peers] = [[], [], []];
});
afterEach(async () => {
  for (const peer of peers) await peer.close();
  for (const server of servers) await server.close({ timeout: 0 });
  restore();
});

async function start(sessions: ServerSessionOptions): Promise<Server> {
  const handle = (connection: Connection): Promise<unknown> => {
    connections.push(connection);
    return connection.forEach((message) => connection.send(`re:${String(message)}`));
  };
  const options = {
    host: "127.0.0.1",
    pingInterval: null,
    openTimeout: null,
    closeTimeout: 200,
    logger: null,
  };
  const server = await serve(handle, { ...options, sessions });
  servers.push(server);
  return server;
}

async function connect(server: Server): Promise<SessionPeer> {
  const peer = await SessionPeer.connect(server.port);
  peers.push(peer);
  return peer;
}

async function open(server: Server): Promise<{ peer: SessionPeer; ticket: Ticket }> {
  const peer = await connect(server);
  const ticket = await peer.open();
  await peer.expect(SPREAD);
  return { peer, ticket };
}

async function answerTo(ticket: Ticket, server: Server): Promise<string> {
  const peer = await connect(server);
  peer.resume(ticket, 0, 1);
  return (await peer.next()).split(" ").slice(0, 2).join(" ");
}

async function untilDetached(peer: SessionPeer, connection: Connection | undefined): Promise<void> {
  peer.cut();
  await eventually(() => connection?.session?.isAttached === false, "the session to be detached");
}

for (const retain of [120_000, null]) {
  test(`L6: a stored session goes on beyond maxLifetime while it is attached, and cannot be resumed then (retain ${retain})`, async () => {
    const store = memoryStore();
    const sessions = { store, retain, maxLifetime: 90_000 };
    const [holder, other] = [await start(sessions), await start(sessions)];
    const { peer, ticket } = await open(holder);
    await open(other); // So it sweeps.
    for (let minute = 0; minute < 10; minute++) await clock.advanceAsync(60_000);
    peer.send("a");
    await peer.expect("re:a");
    assert.equal(await answerTo(ticket, other), "^lost expired");
    peer.send("b"); // The other server has ended it.
    await peer.expect("^moved", "close 1008 moved");
  });
}

test("L6: the sessions of a process that was killed are swept, whatever retain and maxLifetime are", async () => {
  for (const lifetimes of [
    { retain: 120_000, maxLifetime: null },
    { retain: 120_000, maxLifetime: 10_000 },
    { retain: null, maxLifetime: 10_000 },
    { retain: null, maxLifetime: 7_200_000 },
  ]) {
    const real = memoryStore();
    let isAlive = true;
    let swept = 0;
    const dying = storeWith(
      { append: async (...change) => (isAlive ? real.append(...change) : undefined), sweep: async () => 0 },
      real,
    );
    const sweep = async (now: number): Promise<number> => (swept += await real.sweep(now));
    const killed = await start({ store: dying, ...lifetimes });
    const other = await start({ store: storeWith({ sweep }, real), ...lifetimes });
    await open(killed);
    await open(other);
    await clock.advanceAsync(240_000);
    isAlive = false;
    assert.equal(swept, 0);
    await clock.advanceAsync(7_200_000);
    assert.equal(swept, 1, JSON.stringify(lifetimes));
  }
});

test("L6: a step of the server's clock expires neither attached nor detached sessions, nor those that it saves", async () => {
  const store = memoryStore();
  const sessions = { store, retain: 300_000 };
  const [first, other] = [await start(sessions), await start(sessions)];
  const { peer, ticket } = await open(first);
  const attached = await open(first);
  await open(other);
  await untilDetached(peer, connections[0]);
  clock.suspend(600_000); // For the process, that is a step of the time of day.
  await clock.advanceAsync(150_000);
  attached.peer.send("a");
  await attached.peer.expect("re:a");
  assert.equal(await answerTo(ticket, first), "^resumed 0");

  await untilDetached(attached.peer, connections[1]);
  clock.suspend(600_000);
  const closing = first.close();
  await clock.advanceAsync(5_000); // The peers do not answer its Close.
  await closing;
  const successor = await start(sessions);
  assert.equal(await answerTo(ticket, successor), "^resumed 0");
  const later = await connect(successor);
  later.resume(attached.ticket, 1, 1);
  await later.expect("^resumed 1");
});

test("L6: the time in which the server cannot run does not count as absence, once", async () => {
  const server = await start({ retain: 3_000 });
  const { peer, ticket } = await open(server);
  await untilDetached(peer, connections[0]);
  clock.stall(9_000);
  await clock.advanceAsync(2_900); // Late by six seconds, but `retain` is the limit.
  const later = await connect(server);
  later.resume(ticket, 0, 1);
  await later.expect("^resumed 0");
  await untilDetached(later, connections[0]);
  clock.stall(3_900); // A busy process.
  assert.equal(await answerTo(ticket, server), "^lost expired");

  const second = await open(server);
  await untilDetached(second.peer, connections.at(-1));
  clock.stall(5_000);
  clock.stall(5_000);
  assert.equal(await answerTo(second.ticket, server), "^lost expired");
});
