// A full server: a half-dead socket counts until the server notices that it is dead. Its client must not wait for that.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { connect, connectPersistent, serve, type ServeOptions, type Server } from "../../../build/index.js";
import { eventually, RawClient, RawServer } from "holdfast-testkit";
import { hearWords, keepOpen, next, say, SessionPair } from "../../transport/session/session-pair.js";
import { SessionPeer } from "./session-peer.js";

async function withServer(options: ServeOptions, use: (server: Server) => Promise<void>): Promise<void> {
  const server = await serve(keepOpen, {
    host: "127.0.0.1",
    sessions: true,
    pingInterval: null,
    closeTimeout: 200,
    ...options,
  });
  try {
    await use(server);
  } finally {
    await server.close({ timeout: 0 });
  }
}

const FULL = [
  [{ maxConnections: 1 }, 503],
  [{ limits: { connectionsPerAddress: 1 } }, 429],
] as const;

for (const [options, status] of FULL) {
  const name = Object.keys(options)[0] ?? "";

  test(`L1 G3: at ${name}, a client resumes its session in place of its half-dead socket, which ends at once`, () =>
    withServer(options, async ({ port, url, connections }) => {
      const peer = await SessionPeer.connect(port);
      const ticket = await peer.open();
      await peer.expect("^spread 100");
      for (let socket = 0, former = peer; socket < 3; socket++) {
        const later = await SessionPeer.connect(port);
        later.resume(ticket, 0, 1);
        await later.expect("^resumed 0", "^spread 100", "^replay 0");
        await former.expect("^moved", "close 1008 moved");
        assert.notEqual(await former.raw.ended, "closed");
        await assert.rejects(connect(url), { status });
        former = later;
        if (socket === 2) later.cut();
      }
      assert.equal(connections.size, 1);
      // No place is still taken.
      await eventually(
        () => [...connections].every(({ session }) => session?.isAttached === false),
        "detached",
      );
      const occupant = await connect(url);
      await assert.rejects(connect(url), { status });
      await occupant.close();
    }));

  test(`L5 G3: at ${name}, nothing else is let in: new, unknown, stolen and detached sessions are closed with 1013`, () =>
    withServer(options, async ({ port, url, connections }) => {
      const peer = await SessionPeer.connect(port);
      const { id, secret } = await peer.open();
      const absent = { id: "A".repeat(12), secret };
      const stolen = { id, secret: "A".repeat(22) };
      for (const word of [
        "open",
        `resume ${absent.id} ${absent.secret} 0 1`,
        `resume ${id} ${stolen.secret} 0 1`,
      ]) {
        const other = await SessionPeer.connect(port);
        other.word(word);
        await other.expect("close 1013 too many connections");
        await other.close();
      }
      await assert.rejects(connect(url), { status });
      peer.cut();
      await eventually(
        () => [...connections].every(({ session }) => session?.isAttached === false),
        "detached",
      );
      const occupant = await connect(url);
      const late = await SessionPeer.connect(port);
      late.resume({ id, secret }, 0, 1);
      await late.expect("close 1013 too many connections");
      await late.close();
      await occupant.close();
      await eventually(() => connections.size === 1, "room");
      const last = await SessionPeer.connect(port);
      last.resume({ id, secret }, 0, 1);
      await last.expect("^resumed 0");
      await last.close();
    }));

  test(`L5 G3: at ${name}, eight sockets of an address may wait for their first word, and not for long`, () =>
    withServer({ ...options, openTimeout: 2_000 }, async ({ port }) => {
      const peer = await SessionPeer.connect(port);
      await peer.open();
      const silent = await Promise.all(Array.from({ length: 8 }, () => SessionPeer.connect(port)));
      const refused = await RawClient.connect({ port });
      await assert.rejects(
        refused.upgrade({ headers: { "Sec-WebSocket-Protocol": "holdfast.v2" } }),
        new RegExp(String(status)),
      );
      await refused.close();
      for (const each of silent) {
        await each.expect('close 1008 no "open" or "resume" in time');
        await each.close();
      }
      const late = await SessionPeer.connect(port);
      late.word("open");
      await late.expect("close 1013 too many connections");
      await late.close();
      await peer.close();
    }));
}

test("L1 G3: a persistent client whose network has changed gets its session back at a full server", async () => {
  await using pair = await SessionPair.open({
    server: { maxConnections: 1, pingInterval: null },
    client: { probeTimeout: 50 },
  });
  const { id } = pair.client.session ?? {};
  const resumed = next(pair.client, "resumed");
  pair.proxy.connections[0]?.blackhole();
  pair.client.probe();
  await resumed;
  await pair.client.send("m", { until: "delivered" });
  assert.deepEqual([pair.client.session?.id, pair.connections.length], [id, 1]);
});

test("L1: a Close with 1008 before the server's answer does not end the client's session", async () => {
  const words: string[] = [];
  const server = await RawServer.start({}, async (peer) => {
    await peer.acceptUpgrade({ headers: { "Sec-WebSocket-Protocol": "holdfast.v2" } });
    words.push((await hearWords(peer))[0] ?? "");
    if (words.length === 1) {
      say(peer, `session ${"i".repeat(12)} ${"s".repeat(22)} 1000000 1000`);
      peer.end();
    } else if (words.length === 2) {
      peer.sendClose(1008, "too late");
    } else {
      say(peer, "resumed 0");
    }
  });
  const client = connectPersistent(server.url(), {
    session: true,
    minDelay: 0,
    firstDelay: 5,
    maxDelay: 5,
    closeTimeout: 100, // The scripted server leaves its socket open.
  });
  await next(client, "resumed");
  assert.deepEqual(words, ["open", "resume", "resume"]);
  client.terminate();
  await server.close();
});

test("L5: a client that does not begin with a word in time is closed with 1008; one that does is left alone", () =>
  withServer({ openTimeout: 300 }, async ({ port }) => {
    const silent = await SessionPeer.connect(port);
    const peer = await SessionPeer.connect(port);
    await peer.open();
    await silent.expect('close 1008 no "open" or "resume" in time');
    await peer.expect("^spread 100");
    peer.word("want");
    await peer.expect("^ack 0");
    await silent.close();
    await peer.close();
  }));

for (const openTimeout of [10_000, null]) {
  const title = openTimeout === null ? "has no limit either" : "must arrive within it";

  test(`L5: with openTimeout ${openTimeout}, the first word ${title}`, async () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    try {
      await withServer({ openTimeout }, async ({ port }) => {
        const peer = await SessionPeer.connect(port);
        mock.timers.tick(24 * 60 * 60 * 1000);
        if (openTimeout === null) await peer.open();
        else await peer.expect('close 1008 no "open" or "resume" in time');
        peer.cut();
      });
    } finally {
      mock.timers.reset();
    }
  });
}
