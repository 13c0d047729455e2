import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientSession } from "../../build/session/client-session.js";
import { explainLoss, sessionLostError } from "../../build/session/explain-loss.js";
import { judgeProof } from "../../build/session/judge-proof.js";
import { ServerSession } from "../../build/session/server-session.js";
import type { SessionTicket } from "../../build/session/wire.js";

const WINDOW = { messages: 16, bytes: 400 };
const HASH = "ab".repeat(32);
const TICKET: SessionTicket = {
  id: "abcdefghijk-",
  secret: "ABCDEFGHIJKLMNOPQRST_0",
  ttl: 1000,
  window: WINDOW,
};
const NOTHING_LOST = { unsent: 0, unknown: 0, tokens: [] };

function aServer(maxLifetime: number | null = null): ServerSession {
  const identity = { id: TICKET.id, secretHash: HASH, owner: "ada", subprotocol: null, created: 0 };
  const meter = { used: 0 };
  return new ServerSession(identity, {
    window: WINDOW,
    retain: 1000,
    maxLifetime,
    acknowledge: "received",
    meter,
  });
}

function anOpenClient(): ClientSession {
  const client = new ClientSession({ window: WINDOW });
  assert.equal(client.connect(), "\u0016open");
  assert.deepEqual(client.interpret({ type: "session", ...TICKET }, 0), { type: "opened" });
  return client;
}

const RESUME = { received: 0, first: 1, attempt: 0 };

test("L1: a client opens, resumes with what it has and keeps, and reports each abandoned resume", () => {
  const client = anOpenClient();
  client.ledger.outgoing.push("a");
  client.ledger.incoming.receive(1);
  client.detach();
  assert.equal(client.state, "detached");
  assert.equal(client.connect(), `\u0016resume ${TICKET.id} ${TICKET.secret} 1 1`);
  assert.equal(client.connect(), `\u0016resume ${TICKET.id} ${TICKET.secret} 1 1 1`);
  const action = client.interpret({ type: "resumed", received: 0, confirmed: 0 }, 0);
  assert.deepEqual(action, { type: "resumed", confirmed: [], unsent: [], replayed: 1 });
  client.detach();
  assert.equal(client.connect(), `\u0016resume ${TICKET.id} ${TICKET.secret} 1 1 1`);
});

test("L3: a client whose session is lost reports it, and continues with the fresh one", () => {
  const client = anOpenClient();
  client.ledger.outgoing.push("a", "A");
  client.connect();
  client.ledger.outgoing.push("b", "B");
  const fresh = { ...TICKET, id: "fresh-fresh-" };
  assert.deepEqual(client.interpret({ type: "lost", reason: "expired", ...fresh }, 0), {
    type: "lost",
    reason: "expired",
    isFresh: true,
    report: {
      unsent: 1,
      unknown: 1,
      tokens: [
        { token: "A", outcome: "unknown" },
        { token: "B", outcome: "unsent" },
      ],
    },
  });
  assert.deepEqual([client.id, client.state, client.ledger.outgoing.push("c")], [fresh.id, "attached", true]);
});

test("L4, L6: `moved`, and a position that cannot be, end the client's session", () => {
  const moved = anOpenClient().interpret({ type: "moved" }, 0);
  assert.deepEqual(moved, { type: "lost", reason: "moved", isFresh: false, report: NOTHING_LOST });
  const client = anOpenClient();
  client.connect();
  const action = client.interpret({ type: "resumed", received: 1, confirmed: 1 }, 0);
  assert.deepEqual(action, { type: "lost", reason: "position", isFresh: false, report: NOTHING_LOST });
  assert.equal(client.state, "ended");
});

test("L2: messages that nobody asked for are violations, at either end", () => {
  const client = new ClientSession({ window: WINDOW });
  client.connect();
  for (const type of ["open", "want", "end", "moved"] as const) {
    assert.equal(client.interpret({ type }, 0).type, "violation");
  }
  assert.equal(client.interpret({ type: "resumed", received: 0, confirmed: 0 }, 0).type, "violation");
  client.interpret({ type: "session", ...TICKET }, 0);
  assert.equal(client.interpret({ type: "session", ...TICKET }, 0).type, "violation");
  assert.equal(client.interpret({ type: "ack", position: 1 }, 0).type, "violation");
  const server = aServer();
  const attachment = server.open(0);
  assert.equal(server.interpret({ type: "open" }, attachment, 0).type, "violation");
  assert.equal(server.interpret({ type: "ack", position: 1 }, attachment, 0).type, "violation");
});

test("L4: a second link fences the first one, whose messages and end do not count any more", () => {
  const server = aServer();
  const first = server.open(0);
  server.ledger.incoming.receive(1);
  server.ledger.outgoing.push("a");
  const answer = server.resume({ ...RESUME, first: 2 }, 0, 0);
  assert.ok(answer.type === "resumed");
  assert.deepEqual([answer.text, answer.fenced, answer.replayed], ["\u0016resumed 1", first, 1]);
  assert.equal(server.isCurrent(first), false);
  assert.deepEqual(server.interpret({ type: "end" }, first, 0), { type: "stale" });
  server.detach(first, 0, 0);
  assert.deepEqual([server.state, server.deadline], ["attached", null]);
});

test("L4: a resume that arrives after a later one of the same client changes nothing", () => {
  const server = aServer();
  server.open(0);
  const answer = server.resume({ ...RESUME, attempt: 1 }, 0, 0);
  assert.deepEqual(server.resume(RESUME, 0, 0), { type: "stale" });
  assert.ok(answer.type === "resumed" && server.isCurrent(answer.attachment));
});

test("L5: a wrong secret looks like an unknown id, and another owner is forbidden", () => {
  const session = { secretHash: HASH, owner: "ada" };
  assert.equal(judgeProof(session, session), null);
  assert.equal(judgeProof(null, session), "unknown");
  assert.equal(judgeProof(session, { ...session, secretHash: "cd".repeat(32) }), "unknown");
  assert.equal(judgeProof(session, { ...session, secretHash: "" }), "unknown");
  assert.equal(judgeProof(session, { ...session, owner: null }), "forbidden");
});

test("L6: a detached session expires after `retain`, or at the end of its lifetime, and says so once", () => {
  for (const [maxLifetime, at] of [
    [null, 1500],
    [1200, 1200],
  ] as const) {
    const server = aServer(maxLifetime);
    server.detach(server.open(0), 500, 500);
    assert.equal(server.deadline, at);
    assert.deepEqual([server.hasExpired(at - 1, at - 1), server.hasExpired(at, at)], [false, true]);
    server.ledger.outgoing.push("a");
    const answer = server.resume(RESUME, at, at);
    const report = { unsent: 1, unknown: 0, tokens: [] };
    assert.deepEqual(answer, { type: "lost", reason: "expired", fenced: null, report });
    const again = server.resume(RESUME, at, at);
    assert.deepEqual(again, { type: "lost", reason: "expired", fenced: null, report: NOTHING_LOST });
  }
});

test("L6: a session expires at the very moment that its time is over, and not because the time of day was set", () => {
  const resumed = (now: number, wallNow: number): string => {
    const server = aServer(null);
    server.detach(server.open(0), 0, 0);
    return server.resume(RESUME, now, wallNow).type;
  };
  const [retain, day] = [1000, 86_400_000];
  assert.deepEqual([resumed(retain - 1, retain - 1), resumed(retain, retain)], ["resumed", "lost"]);
  assert.deepEqual([resumed(retain - 1, day), resumed(retain - 1, -day)], ["resumed", "resumed"]);
  assert.deepEqual([resumed(retain, day), resumed(retain, -day)], ["lost", "lost"]);
});

test("L6: a client that keeps too little, or has received what was not sent, loses the session", () => {
  for (const change of [{ first: 2 }, { received: 1 }]) {
    const server = aServer();
    const first = server.open(0);
    const answer = server.resume({ ...RESUME, ...change }, 0, 0);
    assert.deepEqual(answer, { type: "lost", reason: "position", fenced: first, report: NOTHING_LOST });
    assert.equal(server.loss, "position");
  }
});

test("L3: `end` is answered with a last ack, and leaves no loss", () => {
  const server = aServer();
  const attachment = server.open(0);
  server.ledger.incoming.receive(1);
  const action = server.interpret({ type: "end" }, attachment, 0);
  assert.deepEqual(action, { type: "ended", lastAck: "\u0016ack 1", report: NOTHING_LOST });
  assert.deepEqual([server.state, server.loss], ["ended", null]);
});

test("L9: a client's session goes on from what `keep` has stored", () => {
  const client = anOpenClient();
  client.ledger.outgoing.push("a");
  client.ledger.incoming.receive(1);
  const saved = client.save();
  const restored = new ClientSession({ window: WINDOW }, JSON.parse(JSON.stringify(saved)) as typeof saved);
  assert.equal(restored.connect(), `\u0016resume ${TICKET.id} ${TICKET.secret} 1 1 1`);
  restored.interpret({ type: "resumed", received: 0, confirmed: 0 }, 0);
  assert.equal(restored.ledger.outgoing.next(), "a");
});

test("L3: the error of a lost session says why, what to do, and how much is affected", () => {
  const error = sessionLostError("evicted", { unsent: 2, unknown: 3 });
  assert.deepEqual(
    [error.name, error.code, error.reason, error.unsent, error.unknown],
    ["SessionLostError", "ERR_HOLDFAST_SESSION_LOST", "evicted", 2, 3],
  );
  assert.ok(error.message.startsWith(explainLoss("evicted").happened));
  assert.match(error.message, /not sent: 2; that may have arrived: 3\.$/);
});

test("L1: a session at rest keeps its positions, and nothing else", () => {
  const server = aServer();
  const attachment = server.open(0);
  const { ledger } = server;
  ledger.incoming.receive(1);
  ledger.outgoing.push("a");
  assert.equal(server.rest(), false, "a message is in flight in each direction");
  server.interpret({ type: "ack", position: 1 }, attachment, 0);
  assert.equal(server.rest(), false, "the client's message is not acknowledged, and a timer runs");
  assert.equal(ledger.takeLateAck(), "\u0016ack 1");
  assert.equal(server.rest(), true);
  assert.deepEqual([server.positionBefore(0), server.isCaughtUp, server.unconfirmedBytes], [1, true, 0]);
  server.detach(attachment, 0, 0);
  assert.equal(server.isCaughtUp, false);

  assert.equal(server.ledger.outgoing.push("b"), false, "no link");
  assert.equal(server.rest(), false);
  const answer = server.resume({ ...RESUME, received: 1, first: 2 }, 0, 0);
  assert.ok(answer.type === "resumed");
  assert.deepEqual(
    [answer.text, answer.replayed, server.ledger.outgoing.next()],
    ["\u0016resumed 1", 1, "b"],
  );
  assert.equal(server.interpret({ type: "ack", position: 3 }, answer.attachment, 0).type, "violation");
  server.interpret({ type: "ack", position: 2 }, answer.attachment, 0);
  assert.equal(server.rest(), true);
  assert.equal(server.interpret({ type: "ack", position: 3 }, answer.attachment, 0).type, "violation");
  assert.deepEqual(server.end(), NOTHING_LOST);
});
