import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OPCODE } from "holdfast-testkit";
import { coreOf } from "../../../build/connection/core-of.js";
import type { Message } from "../../../build/connection/reading/inbox.js";
import type { LinkWords } from "../../../build/connection/message-transport.js";
import { overLinkProtocol } from "../../../build/transport/link/link-protocol.js";
import { Harness, summary, type Setup } from "../../connection/harness.js";

const MARK = "\u0016";

function linkEnd(setup: Setup = {}): Harness {
  return new Harness({ role: "server", layer: (below) => overLinkProtocol(below, "frames"), ...setup });
}

function wordsOf(h: Harness): LinkWords {
  const { link } = coreOf(h.connection);
  assert.ok(link !== null);
  return link;
}

function sent(h: Harness): readonly string[] {
  h.clock.turn();
  return h
    .sentFrames()
    .map(({ opcode, payload }) =>
      opcode === OPCODE.binary ? `[${payload.join()}]` : Buffer.from(payload).toString(),
    );
}

function note(h: Harness, ...words: readonly string[]): string[] {
  const noted: string[] = [];
  for (const word of words) {
    wordsOf(h).handleWord(word, (argument, payload) =>
      noted.push(`${word} ${argument}${payload === null ? "" : ` [${payload.join()}]`}`),
    );
  }
  return noted;
}

function collect(h: Harness): Message[] {
  const messages: Message[] = [];
  void h.connection.forEach((message) => void messages.push(message));
  return messages;
}

describe("Words of the link protocol for other layers", () => {
  test("I2: words go out in the order of the messages, and an announced message behind its word", () => {
    const h = linkEnd();
    const core = coreOf(h.connection);
    void h.connection.send("one");
    void core.sendWord("hello", "a b\nc");
    void core.sendWord("b", "x", Uint8Array.of(7));
    void core.sendWord("bye", "");
    void h.connection.send(`${MARK}two`);
    assert.deepEqual(sent(h), [
      "one",
      `${MARK}hello a b\nc`,
      `${MARK}b x`,
      "[7]",
      `${MARK}bye`,
      `${MARK}${MARK}two`,
    ]);
  });

  test("I2: a word waits until a message in fragments is complete; one that is shared does as well", async () => {
    const h = linkEnd();
    const core = coreOf(h.connection);
    let finish: (piece: string) => void = () => undefined;
    const last = new Promise<string>((resolve) => (finish = resolve));
    void h.connection.send(
      (async function* () {
        yield "a";
        yield await last;
      })(),
    );
    await h.clock.settle();
    void core.sendWord("own", "");
    assert.equal(core.trySend(h.runtime.share(`${MARK}m t 1\nx`, true, true), 1_000), "sent");
    void h.connection.send("after");
    await h.clock.settle();
    finish("b");
    await h.clock.settle();
    assert.deepEqual(
      sent(h),
      ["a", "b", "", `${MARK}own`, `${MARK}m t 1\nx`, "after"].filter((text) => text !== ""),
    );
  });

  test("I2: a shared word is not escaped, at a client either, where no frame can be shared", () => {
    for (const role of ["server", "client"] as const) {
      const h = linkEnd({ role });
      const core = coreOf(h.connection);
      core.trySend(h.runtime.share(`${MARK}m t 1\nx`, true, true), 1_000);
      core.trySend(h.runtime.share(`${MARK}m t 1\nx`, true), 1_000);
      assert.deepEqual(sent(h), [`${MARK}m t 1\nx`, `${MARK}${MARK}m t 1\nx`], role);
    }
  });

  test("I2: each word reaches its handler and no message does; others are ignored", () => {
    const h = linkEnd();
    const messages = collect(h);
    const noted = note(h, "hello", "b");
    h.deliver(
      h.text(`${MARK}hello a b`),
      h.text(`${MARK}other`),
      h.text("message"),
      h.text(`${MARK}b x 1`),
      h.text(`${MARK}ping 00`),
      h.binary(Uint8Array.of(1, 2)),
      h.binary(Uint8Array.of(3)),
      h.text(`${MARK}hello`),
    );
    assert.deepEqual(noted, ["hello a b", "b x 1 [1,2]", "hello "]);
    assert.deepEqual(messages, ["message", Uint8Array.of(3)]);
    wordsOf(h).handleWord("hello", null);
    h.deliver(h.text(`${MARK}hello again`), h.text(`${MARK}b nobody`), h.binary(Uint8Array.of(9)));
    assert.equal(noted.at(-1), "b nobody [9]");
    assert.equal(h.connection.state, "open");
  });

  test("I2: a message that was announced to nobody reaches nobody", () => {
    const h = linkEnd();
    const messages = collect(h);
    h.deliver(h.text(`${MARK}b x`), h.binary(Uint8Array.of(1)), h.text("next"));
    assert.deepEqual(messages, ["next"]);
  });

  test("I2: a client remembers the newest of a few words that came before their handler; a server remembers none", () => {
    for (const role of ["client", "server"] as const) {
      const h = linkEnd({ role });
      h.deliver(
        h.text(`${MARK}topics 1`),
        h.text(`${MARK}topics 2`),
        h.text(`${MARK}long ${"x".repeat(65)}`),
      );
      for (let index = 0; index < 20; index++) {
        h.deliver(h.text(`${MARK}w${String.fromCharCode(97 + index)} 1`));
      }
      assert.deepEqual(note(h, "topics", "long", "wa", "wt"), role === "client" ? ["topics 2", "wa 1"] : []);
    }
  });

  test("I2: only words that carry a message may be longer than 1,024 characters", async () => {
    const h = linkEnd();
    const noted = note(h, "m", "pub");
    const long = "x".repeat(5_000);
    h.deliver(h.text(`${MARK}m t 1\n${long}`), h.text(`${MARK}pub 1 t\n${long}`));
    assert.deepEqual(noted, [`m t 1\n${long}`, `pub 1 t\n${long}`]);
    h.deliver(h.text(`${MARK}mm t 1\n${long}`), h.close(1002));
    h.transport.eof();
    assert.equal(summary(await h.end()).cause, "protocol-error");
  });

  test("I2: behind an announcement, anything but the binary message fails the connection", async () => {
    for (const wrong of ["text", `${MARK}${MARK}text`, `${MARK}b again`]) {
      const h = linkEnd();
      const messages = collect(h);
      h.deliver(h.text(`${MARK}b x`), h.text(wrong), h.text("after"), h.close(1002));
      h.transport.eof();
      const { cause, sent: close } = summary(await h.end());
      assert.deepEqual([cause, close?.code, messages], ["protocol-error", 1002, []], wrong);
    }
  });

  test("I2: recvStream() sees no word and no announced message, in whatever pieces they come", async () => {
    const h = linkEnd();
    const noted = note(h, "b", "m");
    const pieces: Message[] = [];
    const reading = (async () => {
      for await (const piece of h.connection.recvStream()) pieces.push(piece);
    })();
    await h.clock.settle();
    const fragment = (payload: Uint8Array, opcode: number, isFinal: boolean): Uint8Array =>
      h.frame({ opcode, isFinal, payload });
    const long = "x".repeat(2_000);
    h.deliver(
      fragment(Buffer.from(MARK), OPCODE.text, false),
      fragment(Buffer.from("b x"), OPCODE.continuation, true),
      fragment(Uint8Array.of(1), OPCODE.binary, false),
      fragment(Uint8Array.of(2), OPCODE.continuation, true),
      fragment(Buffer.from(`${MARK}m t 1\n`), OPCODE.text, false),
      fragment(Buffer.from(long), OPCODE.continuation, true),
      h.text(`${MARK}b empty`),
      h.binary(new Uint8Array(0)),
      fragment(Uint8Array.of(3), OPCODE.binary, false),
      fragment(Uint8Array.of(4), OPCODE.continuation, true),
    );
    await reading;
    assert.deepEqual(noted, ["b x [1,2]", `m t 1\n${long}`, "b empty []"]);
    assert.deepEqual(pieces, [Uint8Array.of(3), Uint8Array.of(4)]);
    h.deliver(h.text(`${MARK}b later`), h.binary(Uint8Array.of(5)));
    assert.equal(noted.at(-1), "b later [5]");
  });
});
