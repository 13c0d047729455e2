import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  formatSessionId,
  formatSessionSecret,
  isSessionId,
  isSessionSecret,
} from "../../build/session/session-id.js";
import {
  MAX_SESSION_MESSAGE,
  readSessionMessage,
  writeSessionMessage,
  type SessionMessage,
} from "../../build/session/wire.js";

const ID = "abcdefghijk-";
const SECRET = "ABCDEFGHIJKLMNOPQRST_0";
const WINDOW = { messages: 1024, bytes: 262144 };

test("L2: the messages of a session, as they stand on the wire", () => {
  const ticket = { id: ID, secret: SECRET, ttl: 120_000, window: WINDOW };
  const messages: readonly (readonly [SessionMessage, string])[] = [
    [{ type: "open" }, "open"],
    [{ type: "session", ...ticket }, `session ${ID} ${SECRET} 2klc sg`],
    [
      { type: "resume", id: ID, secret: SECRET, received: 35, first: 36, attempt: 0 },
      `resume ${ID} ${SECRET} z 10`,
    ],
    [
      { type: "resume", id: ID, secret: SECRET, received: 0, first: 1, attempt: 2 },
      `resume ${ID} ${SECRET} 0 1 2`,
    ],
    [{ type: "resumed", received: 36, confirmed: 36 }, "resumed 10"],
    [{ type: "resumed", received: 36, confirmed: 2 }, "resumed 10 2"],
    [{ type: "lost", reason: "overflow", ...ticket }, `lost overflow ${ID} ${SECRET} 2klc sg`],
    [{ type: "ack", position: Number.MAX_SAFE_INTEGER }, "ack 2gosa7pa2gv"],
    [{ type: "want" }, "want"],
    [{ type: "skip", count: 3 }, "skip 3"],
    [{ type: "end" }, "end"],
    [{ type: "moved" }, "moved"],
  ];
  for (const [message, text] of messages) {
    assert.equal(writeSessionMessage(message), `\u0016${text}`);
    assert.deepEqual(readSessionMessage(`\u0016${text}`), message);
  }
});

test("L2: a malformed message is invalid, and says which form was expected", () => {
  const malformed = [
    ...[
      "ack",
      "ack ",
      "ack -1",
      "ack 1 ",
      "ack 01",
      "ack A",
      "ack 1.5",
      "ack 2gosa7pa2gw",
      "ack 100000000000",
      "ack 1 2",
    ],
    ...[
      "want 1",
      "want ",
      "open 1",
      "end x",
      "moved 1",
      "skip",
      "skip 0",
      "skip \u0661",
      "resumed",
      "resumed 1 2",
    ],
    ...[
      "resumed 3 2 1",
      `resume ${ID} ${SECRET} 0`,
      `resume ${ID} ${SECRET} 0 0`,
      `resume ${ID} ${SECRET} 0 1 2 3`,
    ],
    ...[`resume ${ID}x ${SECRET} 0 1`, `resume ../../etc/ab ${SECRET} 0 1`, `resume ${ID} ${SECRET}\n 0 1`],
    ...[
      `session ${ID} ${SECRET} 1 5/5`,
      `session ${ID} ${SECRET} 1 0`,
      `session ${ID} ${SECRET} 1 5/`,
      "session",
    ],
    ...[
      `lost tired ${ID} ${SECRET} 1 1/1`,
      `lost constructor ${ID} ${SECRET} 1 1/1`,
      `ack ${"1".repeat(1000)}`,
    ],
  ];
  for (const text of malformed) {
    const message = readSessionMessage(`\u0016${text}`);
    assert.equal(message?.type, "invalid", text);
    assert.match(
      message.type === "invalid" ? message.expected : "",
      /^Expected a link message of the form "/,
    );
  }
});

test("L2: words of version 1 and of later revisions are none of a session", () => {
  for (const text of [
    "ping 00",
    "spread 100",
    "future 1",
    "",
    "constructor",
    "acknowledge 1",
    "a".repeat(1023),
  ]) {
    assert.equal(readSessionMessage(`\u0016${text}`), null);
  }
});

test("L2: no text makes the parser throw, and what it reads it writes the same way", () => {
  const part = fc.oneof(
    fc.constantFrom("ack", "skip", "resume", "lost", "session", ID, SECRET, "1/1", "0", "zz"),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const text = `\u0016${parts.join(" ")}`;
      const message = readSessionMessage(text);
      if (message === null || message.type === "invalid") return;
      assert.equal(writeSessionMessage(message).replace(/ 0$/, ""), text.replace(/ 0$/, ""));
      assert.ok(text.length <= MAX_SESSION_MESSAGE);
    }),
    { seed: 6455, numRuns: 2000 },
  );
});

test("L5: ids have 72 bits and secrets 128, in base64url", () => {
  assert.equal(formatSessionId(new Uint8Array(9).fill(0xff)), "____________");
  assert.equal(formatSessionSecret(new Uint8Array(16).fill(0xfb)), "-_v7-_v7-_v7-_v7-_v7-w");
  assert.ok(isSessionId("____________") && !isSessionId("___________") && !isSessionId("..__________"));
  assert.ok(isSessionSecret("-_v7-_v7-_v7-_v7-_v7-w") && !isSessionSecret("-_v7-_v7-_v7-_v7-_v7-w="));
});
