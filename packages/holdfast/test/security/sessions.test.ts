// Peers that attack sessions: stolen ids and secrets, forged positions, words in the wrong place.

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import {
  connectPersistent,
  fileStore,
  memoryStore,
  serve,
  type Connection,
  type ServerRequest,
  type ServerSessionOptions,
  type ServeOptions,
  type Server,
} from "../../build/index.js";
import { readSessionMessage } from "../../build/session/wire.js";
import { eventually } from "holdfast-testkit";
import { SessionPeer } from "../server/sessions/session-peer.js";
import { assertServes, echo } from "./servers.js";

async function withServer(
  sessions: ServerSessionOptions | true,
  use: (server: Server) => Promise<void>,
  options: ServeOptions = {},
  handler: (connection: Connection) => unknown = echo,
): Promise<void> {
  const server = await serve(handler, { host: "127.0.0.1", pingInterval: null, ...options, sessions });
  try {
    await use(server);
    await assertServes(server);
  } finally {
    await server.close({ timeout: 0 });
  }
}

const SPREAD = "^spread 100";
const OTHER_SECRET = "A".repeat(22);

/** The user whom the query names. */
function userOf({ url }: ServerRequest): string | null {
  return new URL(url, "http://localhost").searchParams.get("user");
}

test("L5: a stolen id without the secret gets a session of its own, and leaves the stolen one alone", () =>
  withServer(true, async ({ port }) => {
    const peer = await SessionPeer.connect(port);
    const { id } = await peer.open();
    await peer.expect(SPREAD);
    const thief = await SessionPeer.connect(port);
    const stolen = await thief.open(`resume ${id} ${OTHER_SECRET} 0 1`);
    assert.equal(stolen.answer, "lost unknown");
    assert.notEqual(stolen.id, id);
    peer.send("still mine");
    await peer.expect("still mine");
    await peer.close();
    await thief.close();
  }));

test("L5: a stolen secret is of no use to another owner, however the owner is found", async () => {
  for (const owner of [userOf, (request: ServerRequest) => Promise.resolve(userOf(request))]) {
    await withServer({ owner }, async ({ port }) => {
      const peer = await SessionPeer.connect(port, "/?user=ada");
      const ticket = await peer.open();
      for (const path of ["/?user=eve", "/"]) {
        const thief = await SessionPeer.connect(port, path);
        const { answer, id } = await thief.open(`resume ${ticket.id} ${ticket.secret} 0 1`);
        assert.equal(answer, "lost forbidden");
        assert.notEqual(id, ticket.id);
        await thief.close();
      }
      peer.send("still mine");
      await peer.expect(SPREAD, "still mine");
      peer.cut();
      const later = await SessionPeer.connect(port, "/?user=ada");
      later.resume(ticket, 1, 2);
      await later.expect("^resumed 1");
      await later.close();
    });
  }
});

test("L5: an owner function that fails closes the socket with 1011, and the session goes on without it", async () => {
  const errors: unknown[] = [];
  const logger = {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (message: string) => errors.push(message),
  };
  let answer: () => unknown = () => "ada";
  const owner = (): string => answer() as string; // Wrong on purpose.
  await withServer(
    { owner },
    async ({ port }) => {
      const peer = await SessionPeer.connect(port);
      const ticket = await peer.open();
      await peer.expect(SPREAD);
      const failures: (() => unknown)[] = [
        () => {
          throw new Error("no database");
        },
        () => Promise.reject(new Error("no database")),
        () => 5,
      ];
      for (const fail of failures) {
        answer = fail;
        const socket = await SessionPeer.connect(port);
        socket.resume(ticket, 0, 1);
        assert.equal(await socket.next(), "close 1011 ");
        await socket.close();
      }
      let isAsked = false;
      answer = () => {
        isAsked = true;
        return new Promise(ignore); // Never answers: nothing else waits for it.
      };
      const hanging = await SessionPeer.connect(port);
      hanging.resume(ticket, 0, 1);
      await eventually(() => isAsked, "the owner to be asked");
      answer = () => "ada";
      peer.send("unaffected");
      await peer.expect("unaffected");
      await hanging.close();
      await peer.close();
      assert.deepEqual(errors, ["sessions failed", "sessions failed", "sessions failed"]);
    },
    { logger },
  );
});

test("L5: onRequest and the owner are asked on every attach, and a refused request resumes nothing", async () => {
  const requests: string[] = [];
  let isBanned = false;
  await withServer(
    {
      owner: ({ url }) => {
        requests.push(`owner ${url}`);
        return "ada";
      },
    },
    async ({ port }) => {
      const peer = await SessionPeer.connect(port, "/one");
      const ticket = await peer.open();
      peer.cut();
      const later = await SessionPeer.connect(port, "/two");
      later.resume(ticket, 0, 1);
      await later.expect("^resumed 0");
      isBanned = true;
      await assert.rejects(SessionPeer.connect(port, "/three"), /401/);
      isBanned = false;
      assert.deepEqual(
        requests.map((each) => each.replace("http://localhost", "")),
        ["/one", "owner /one", "/two", "owner /two", "/three"],
      );
      await later.close();
    },
    {
      onRequest: ({ url }) => {
        requests.push(url);
        return isBanned ? new Response(null, { status: 401 }) : undefined;
      },
    },
  );
});

test("L4: a replayed resume takes the session over, and the socket before it gets moved", () =>
  withServer(true, async ({ port }) => {
    const peer = await SessionPeer.connect(port);
    const ticket = await peer.open();
    peer.send("a");
    await peer.expect(SPREAD, "a");
    const second = await SessionPeer.connect(port);
    second.resume(ticket, 1, 1);
    await second.expect("^resumed 1");
    await peer.expect("^moved", "close 1008 moved");
    const replayed = await SessionPeer.connect(port);
    replayed.resume(ticket, 1, 1);
    await replayed.expect("^resumed 1");
    await second.expect(SPREAD, "^replay 0", "^moved", "close 1008 moved");
    // One that was recorded before more was confirmed cannot be served any more.
    const old = await SessionPeer.connect(port);
    assert.equal((await old.open(`resume ${ticket.id} ${ticket.secret} 0 1`)).answer, "lost position");
    for (const each of [peer, second, replayed, old]) await each.close();
  }));

test("L2: an ack beyond what was sent fails the link with 1002; an older one is ignored", () =>
  withServer(true, async ({ port }) => {
    const peer = await SessionPeer.connect(port);
    await peer.open();
    peer.send("a");
    peer.send("b");
    await peer.expect(SPREAD, "a", "b");
    peer.word("ack 2");
    peer.word("ack 1");
    peer.send("c");
    await peer.expect("c");
    peer.word("ack 4");
    assert.match(await peer.next(), /^close 1002 /);
    await peer.close();
  }));

for (const [what, violate] of [
  ["a forged ack", (peer: SessionPeer) => peer.word("ack zz")],
  ["a message above the limit", (peer: SessionPeer) => peer.send("x".repeat(2_000))],
] as const) {
  test(`L2: ${what} ends the session at once, also for a client that does not answer the Close`, () => {
    const events: string[] = [];
    const handler = async (connection: Connection): Promise<void> => {
      for (const name of ["detached", "resumed", "lost"] as const)
        connection.on(name, () => events.push(name));
      await echo(connection);
      events.push((await connection.closed).cause);
    };
    return withServer(
      true,
      async ({ port }) => {
        const peer = await SessionPeer.connect(port);
        const { id, secret } = await peer.open();
        await peer.expect(SPREAD);
        violate(peer);
        assert.match(await peer.next(), /^close 10/);
        const later = await SessionPeer.connect(port); // The first socket is still open.
        assert.equal((await later.open(`resume ${id} ${secret} 0 1`)).answer, "lost unknown");
        await peer.close();
        await eventually(() => events.length > 0, "the end");
        assert.deepEqual(events.slice(0, 1), [
          what === "a forged ack" ? "protocol-error" : "message-too-big",
        ]);
        await later.close();
      },
      { maxMessageSize: 1_000 },
      handler,
    );
  });
}

test("L2: positions from the future end the session with the reason position", () =>
  withServer(true, async ({ port }) => {
    for (const positions of ["1 1", "0 3", "2gosa7pa2gv 1", "0 2gosa7pa2gv"]) {
      const peer = await SessionPeer.connect(port);
      const { id, secret } = await peer.open();
      const later = await SessionPeer.connect(port);
      assert.equal((await later.open(`resume ${id} ${secret} ${positions}`)).answer, "lost position");
      // It is over: the right positions come too late.
      const last = await SessionPeer.connect(port);
      assert.equal((await last.open(`resume ${id} ${secret} 0 1`)).answer, "lost position");
      for (const each of [peer, later, last]) await each.close();
    }
  }));

test("L2: a window of zero is no window", () => {
  const message = readSessionMessage(`\u0016session abcdefghijk- ${OTHER_SECRET} 1 0`);
  assert.equal(message?.type, "invalid");
});

test("L6: a session is resumed before it expires, and lost afterwards", () =>
  withServer({ retain: 300 }, async ({ port, connections }) => {
    const peer = await SessionPeer.connect(port);
    const ticket = await peer.open();
    peer.cut();
    const later = await SessionPeer.connect(port);
    later.resume(ticket, 0, 1);
    await later.expect("^resumed 0");
    later.cut();
    await eventually(() => connections.size === 0, "the session to expire");
    const last = await SessionPeer.connect(port);
    assert.equal((await last.open(`resume ${ticket.id} ${ticket.secret} 0 1`)).answer, "lost expired");
    await last.close();
  }));

test("L6: an attached session that is older than maxLifetime goes on, and ends with its socket", () =>
  withServer({ maxLifetime: 1 }, async ({ port, connections }) => {
    const peer = await SessionPeer.connect(port);
    const ticket = await peer.open();
    peer.send("a");
    await peer.expect(SPREAD, "a");
    const thief = await SessionPeer.connect(port);
    assert.equal(connections.size, 1);
    peer.cut();
    await eventually(() => connections.size === 0, "the session to end");
    assert.equal((await thief.open(`resume ${ticket.id} ${ticket.secret} 1 2`)).answer, "lost expired");
    await thief.close();
  }));

const WRONG_WORDS: readonly (readonly [what: string, say: (peer: SessionPeer, resume: string) => void])[] = [
  ["a second open", (peer) => peer.word("open")],
  ["resume after open", (peer, resume) => peer.word(resume)],
  ["session", (peer) => peer.word(`session abcdefghijk- ${OTHER_SECRET} 1 1`)],
  ["resumed", (peer) => peer.word("resumed 0")],
  ["lost", (peer) => peer.word(`lost expired abcdefghijk- ${OTHER_SECRET} 1 1`)],
  ["moved", (peer) => peer.word("moved")],
  ["a malformed ack", (peer) => peer.word("ack -1")],
  ["a huge ack", (peer) => peer.word(`ack ${"9".repeat(100_000)}`)],
  ["a skip of nothing", (peer) => peer.word("skip 0")],
  [
    "skips beyond 2^53",
    (peer) => {
      peer.word("skip 2gosa7pa2gv");
      peer.word("skip 1");
    },
  ],
];

for (const [what, say] of WRONG_WORDS) {
  test(`L2: ${what} in the middle of a session fails the link with 1002`, () =>
    withServer(true, async ({ port }) => {
      const peer = await SessionPeer.connect(port);
      const { id, secret } = await peer.open();
      await peer.expect(SPREAD);
      say(peer, `resume ${id} ${secret} 0 1`);
      const answer = await peer.next();
      assert.match(answer.startsWith("^ack ") ? await peer.next() : answer, /^close 1002 /);
      await peer.close();
    }));
}

const WRONG_BEGINNINGS: readonly (readonly [what: string, say: (peer: SessionPeer) => void])[] = [
  ["data", (peer) => peer.send("hello")],
  ["an empty message", (peer) => peer.send("")],
  ["an ack", (peer) => peer.word("ack 0")],
  ["a malformed resume", (peer) => peer.word("resume ../../etc/passwd x 0 1")],
  ["a huge resume", (peer) => peer.word(`resume ${"x".repeat(100_000)}`)],
];

for (const [what, say] of WRONG_BEGINNINGS) {
  test(`L2: ${what} before the first word fails the link with 1002, and begins no session`, () =>
    withServer(true, async ({ port, connections }) => {
      const peer = await SessionPeer.connect(port);
      say(peer);
      assert.match(await peer.next(), /^close 1002 /);
      assert.equal(connections.size, 0);
      await peer.close();
    }));
}

test("L2: words that the server does not know are ignored", () =>
  withServer(true, async ({ port }) => {
    const peer = await SessionPeer.connect(port);
    await peer.open();
    for (const word of ["garbage", "constructor 1", "tostring"]) peer.word(word);
    peer.send("a");
    await peer.expect(SPREAD, "a");
    await peer.close();
  }));

test("L6: sessions that are opened and dropped stay within the memory, and those with messages outlive them", () =>
  withServer({ memory: 1024 * 1024 }, async (server) => {
    const { port, connections } = server;
    const peer = await SessionPeer.connect(port);
    const ticket = await peer.open();
    peer.send("kept");
    await peer.expect(SPREAD, "kept");
    peer.cut();
    let opened = 0;
    const open = async (): Promise<void> => {
      while (opened < 800) {
        opened++;
        const each = await SessionPeer.connect(port);
        await each.open();
        each.cut();
      }
    };
    await Promise.all(Array.from({ length: 20 }, open));
    await eventually(() => connections.size <= 128, "the memory to be enough");
    assert.ok(connections.size > 100, `${connections.size} sessions`);
    const later = await SessionPeer.connect(port);
    later.resume(ticket, 1, 2);
    await later.expect("^resumed 1");
    await later.close();
  }));

test("L5: a secret is in no log, diagnostics message, error, inspection or file", async () => {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-secrets-"));
  const seen: string[] = [];
  const show = (...values: readonly unknown[]): void =>
    void seen.push(inspect(values, { depth: 12, showHidden: true }));
  const logger = { debug: show, info: show, warn: show, error: show };
  const onFrame = (message: unknown): void => {
    const { frame } = message as { frame: { payload: Uint8Array } }; // Documented.
    seen.push(Buffer.from(frame.payload).toString("latin1"));
    show(message);
  };
  const channels = ["holdfast:connection:frame:sent", "holdfast:connection:frame:received"];
  for (const each of channels) subscribe(each, onFrame);
  const connections: Connection[] = [];
  try {
    await withServer(
      { durability: "message", store: fileStore({ directory: join(directory, "sessions") }) },
      async (server) => {
        const { port, url } = server;
        const peer = await SessionPeer.connect(port);
        const { id, secret } = await peer.open();
        peer.send("a");
        await peer.expect(SPREAD, "a");
        peer.cut();
        const later = await SessionPeer.connect(port);
        later.resume({ id, secret }, 1, 2);
        await later.expect("^resumed 1");
        const last = await SessionPeer.connect(port);
        const lost = await last.open(`resume ${id} ${secret} 9 9`);
        const client = connectPersistent(url, { session: true, logger });
        await client.send("b", { until: "delivered" });
        show(server, connections, client, client.session);
        for (const file of await readdir(join(directory, "sessions"), { recursive: true })) {
          seen.push(file);
          const text = await readFile(join(directory, "sessions", file), "latin1").catch(() => "");
          seen.push(text);
        }
        const info = await client.close();
        show(info, ...connections.map(({ signal }) => signal.reason as unknown));
        await later.close();
        await last.close();
        const all = seen.join("\n");
        assert.ok(all.includes(id), "The id may be logged.");
        for (const each of [secret, lost.secret]) assert.ok(!all.includes(each));
        // Of the client's own session: no text looks like the words that carry a secret.
        assert.doesNotMatch(all, /(session|resume|lost [a-z]+) \S{12} (?!\*{22})\S{22}/);
        assert.match(all, /resume \S{12} \*{22} /);
        assert.match(all, /(session|lost position) \S{12} \*{22} /);
      },
      { logger },
      (connection) => {
        connections.push(connection);
        return echo(connection);
      },
    );
  } finally {
    for (const each of channels) unsubscribe(each, onFrame);
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
});

test("L4: the zombie's socket gets moved when another process has claimed its session", async () => {
  const store = memoryStore();
  await withServer({ durability: "message", store }, ({ port }) =>
    withServer({ durability: "message", store }, async (successor) => {
      const peer = await SessionPeer.connect(port);
      const ticket = await peer.open();
      peer.send("a");
      await peer.expect(SPREAD, "a");
      await peer.confirmed("1");
      const later = await SessionPeer.connect(successor.port);
      later.resume(ticket, 1, 2);
      await later.expect("^resumed 1");
      peer.send("b"); // Cannot be written: its answer is never sent, and it is not confirmed.
      await peer.expect("^moved", "close 1008 moved");
      later.send("b");
      await later.expect(SPREAD, "^replay 0", "b");
      await peer.close();
      await later.close();
    }),
  );
});

function ignore(): void {
  // On purpose.
}
