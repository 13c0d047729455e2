import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { OPCODE } from "holdfast-testkit";
import {
  overLinkProtocol,
  type PingsAs,
  type SpreadEnd,
} from "../../../build/transport/link/link-protocol.js";
import type { Message } from "../../../build/connection/reading/inbox.js";
import { coreOf } from "../../../build/connection/core-of.js";
import { follow, Harness, summary, type Setup } from "../../connection/harness.js";

const MARK = "\u0016";

/**
 * One end of a link: a server sends its pings as frames; a client without ping frames sends them as messages.
 */
function linkEnd(setup: Setup & { readonly pingsAs?: PingsAs; readonly spread?: SpreadEnd } = {}): Harness {
  const { pingsAs = "frames", spread, ...rest } = setup;
  return new Harness({ role: "server", layer: (below) => overLinkProtocol(below, pingsAs, spread), ...rest });
}

/** The sent messages; text is unchanged. */
function sentTexts(h: Harness): readonly string[] {
  h.clock.turn();
  return h.sentFrames().map(({ opcode, payload }) => {
    const text = Buffer.from(payload).toString();
    return opcode === OPCODE.text ? text : `[${opcode}] ${Buffer.from(payload).toString("hex")}`;
  });
}

function collect(h: Harness): Message[] {
  const messages: Message[] = [];
  void h.connection.forEach((message) => void messages.push(message));
  return messages;
}

describe("The link protocol", () => {
  test("I2: a ping that came as a message is answered by one, and shows in no message", () => {
    const h = linkEnd();
    const messages = collect(h);
    const pings: string[] = [];
    h.connection.on("ping", ({ payload }) => pings.push(Buffer.from(payload).toString("hex")));
    h.deliver(h.text(`${MARK}ping 00ff10`), h.text("hello"), h.text(`${MARK}ping `));
    assert.deepEqual(sentTexts(h), [`${MARK}pong 00ff10`, `${MARK}pong `]);
    assert.deepEqual({ messages, pings }, { messages: ["hello"], pings: ["00ff10", ""] });
    assert.equal(h.connection.state, "open");
  });

  test("F2: a server announces the width at the opening, with the pings after a change, and before its Close", () => {
    let width = 100;
    const h = linkEnd({ spread: { widthToAnnounce: () => width }, pingInterval: 1_000, pingTimeout: null });
    assert.deepEqual(
      sentTexts(h).filter((text) => !text.startsWith("[9]")),
      [`${MARK}spread 100`],
    );
    h.clock.advance(1_000);
    assert.equal(sentTexts(h).filter((text) => text.startsWith(MARK)).length, 0);
    width = 800;
    h.clock.advance(1_000);
    assert.deepEqual(
      sentTexts(h).filter((text) => !text.startsWith("[9]")),
      [`${MARK}spread 800`],
    );
    width = 1_600;
    void h.connection.close(1001);
    assert.deepEqual(
      sentTexts(h).filter((text) => !text.startsWith("[9]")),
      [`${MARK}spread 1600`, "[8] 03e9"],
    );
  });

  test("F2: a peer that closes receives no width any more, and without pings the opening is enough", () => {
    let width = 100;
    const h = linkEnd({ spread: { widthToAnnounce: () => width }, pingInterval: null });
    assert.deepEqual(sentTexts(h), [`${MARK}spread 100`]);
    width = 200;
    h.deliver(h.close(1000));
    assert.deepEqual(sentTexts(h), ["[8] 03e8"]);
  });

  test("F2: a client reports each width, and ignores invalid ones", () => {
    const widths: number[] = [];
    const h = linkEnd({ pingsAs: "messages", spread: { onWidth: (width) => widths.push(width) } });
    const messages = collect(h);
    const digits = "9".repeat(1_000);
    for (const argument of ["0", "250", digits]) h.deliver(h.text(`${MARK}spread ${argument}`));
    for (const argument of ["", " ", " -1", " 1e3", " 1.5", " 0x10", " NaN", " 100 200", "  100", " ١"]) {
      h.deliver(h.text(`${MARK}spread${argument}`));
    }
    assert.deepEqual(widths, [0, 250, Infinity]);
    assert.deepEqual([messages, h.connection.state], [[], "open"]);
  });

  test("F2: an end without a handler ignores it", () => {
    const h = linkEnd();
    const messages = collect(h);
    h.deliver(h.text(`${MARK}spread 100`), h.text("hello"));
    assert.deepEqual([messages, h.connection.state], [["hello"], "open"]);
  });

  test("I2: a pong goes back the way its ping came: as a frame, or as a message", () => {
    const h = linkEnd();
    h.deliver(h.ping(Uint8Array.of(1)), h.text(`${MARK}ping 02`), h.ping(Uint8Array.of(3)));
    assert.deepEqual(sentTexts(h), ["[10] 01", `${MARK}pong 02`, "[10] 03"]);
    h.connection.pong(Uint8Array.of(4));
    assert.deepEqual(sentTexts(h), ["[10] 04"]);
  });

  test("I2: with autoPong off, pong() answers the message", () => {
    const h = linkEnd({ autoPong: false });
    h.deliver(h.text(`${MARK}ping 05`));
    assert.deepEqual(sentTexts(h), []);
    h.connection.pong(Uint8Array.of(5));
    assert.deepEqual(sentTexts(h), [`${MARK}pong 05`]);
  });

  test("I2: a server's own pings are frames, and so are the pongs that answer them", async () => {
    const h = linkEnd();
    const waiting = follow(h.connection.ping(Uint8Array.of(7)));
    assert.deepEqual(sentTexts(h), ["[9] 07"]);
    h.clock.advance(12);
    h.deliver(h.pong(Uint8Array.of(7)));
    await h.clock.settle();
    assert.deepEqual(waiting.outcome, { status: "fulfilled", value: 12 });
  });

  test("I2: an end without ping frames pings by messages: same latency, same verdict", async () => {
    const h = linkEnd({ role: "client", pingsAs: "messages", pingInterval: 1000, pingTimeout: 500 });
    const [first = ""] = sentTexts(h);
    assert.match(first, /^.ping [0-9a-f]{16}$/);
    h.clock.advance(40);
    h.deliver(h.text(first.replace("ping", "pong")));
    assert.equal(h.connection.latency, 40);
    h.clock.advance(1459);
    assert.equal(h.connection.state, "open");
    h.clock.advance(1);
    const info = await h.end();
    assert.deepEqual([info.cause, info.sent?.code], ["heartbeat-timeout", 1011]);
    assert.deepEqual(info.evidence.latency.answered, 1);
  });

  test("I2: what the application sends arrives as it was, whatever it begins with", () => {
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(new RegExp(`^${MARK}{0,3}(ping|pong)? ?[0-9a-f]{0,4}$`)),
    );
    fc.assert(
      fc.property(fc.array(text), (texts) => {
        const sender = linkEnd();
        const receiver = linkEnd();
        const received = collect(receiver);
        for (const each of texts) void sender.connection.send(each);
        sender.clock.turn();
        for (const { payload } of sender.sentFrames())
          receiver.deliver(receiver.text(Buffer.from(payload).toString()));
        assert.deepEqual(received, texts);
        assert.equal(receiver.connection.state, "open");
      }),
    );
  });

  test("I2: bytes are left alone, also those that begin with the mark", () => {
    const h = linkEnd();
    const received = collect(h);
    void h.connection.send(Uint8Array.of(0x16, 1));
    h.deliver(h.binary(Uint8Array.of(0x16, 2)));
    assert.deepEqual(sentTexts(h), ["[2] 1601"]);
    assert.deepEqual(received, [Uint8Array.of(0x16, 2)]);
  });

  test("I2: a message in fragments is marked once, at its first character", async () => {
    for (const [pieces, whole] of [
      [["", MARK, "ping 00"], `${MARK}${MARK}ping 00`],
      [["a", MARK], `a${MARK}`],
      [[MARK], `${MARK}${MARK}`],
    ] as const) {
      const h = linkEnd();
      void h.connection.send(pieces);
      await h.clock.settle();
      const payloads = h.sentFrames().map(({ payload }) => Buffer.from(payload));
      assert.equal(Buffer.concat(payloads).toString(), whole);
    }
  });

  test("I2: a pong waits until a message that is sent in fragments is complete", async () => {
    const h = linkEnd();
    let finish: (piece: string) => void = () => undefined;
    const last = new Promise<string>((resolve) => (finish = resolve));
    void h.connection.send(
      (async function* () {
        yield "a";
        yield "b";
        yield await last;
      })(),
    );
    await h.clock.settle();
    h.deliver(h.text(`${MARK}ping 01`), h.text(`${MARK}ping 02`));
    assert.deepEqual(sentTexts(h).length, 1); // "b" is held back until it is known whether it is the last fragment.
    finish("c");
    await h.clock.settle();
    assert.deepEqual(sentTexts(h).at(-1), `${MARK}pong 02`);
  });

  test("I2, C12: a flood of pings from a peer that does not read leaves one pong waiting, ahead of messages", () => {
    const h = linkEnd({ capacity: 0 });
    void h.connection.send("on its way");
    h.clock.turn();
    for (let index = 0; index < 10; index++) void h.connection.send(`message ${index}`);
    const before = h.connection.bufferedAmount;
    for (let index = 0; index < 10_000; index++)
      h.deliver(h.text(`${MARK}ping ${index.toString(16).padStart(8, "0")}`));
    assert(h.connection.bufferedAmount - before < 100, `${h.connection.bufferedAmount - before} bytes more`);
    h.transport.setCapacity(Infinity);
    h.transport.drain();
    const sent = sentTexts(h);
    assert.equal(sent.filter((text) => text.startsWith(MARK)).length, 1);
    assert.deepEqual(sent.slice(0, 3), ["on its way", `${MARK}pong 0000270f`, "message 0"]);
  });

  test("I2: a pong never goes between the fragments of a message that wait", async () => {
    const h = linkEnd({ capacity: 0 });
    let goOn: () => void = () => undefined;
    const isBlocked = new Promise<void>((resolve) => (goOn = resolve));
    void h.connection.send(
      (async function* () {
        yield "one";
        yield "two";
        await isBlocked;
        yield "three";
      })(),
    );
    await h.clock.settle();
    assert.deepEqual(h.sent(), ["TEXT one"]);
    goOn();
    await h.clock.settle();
    void h.connection.send("behind");
    h.deliver(h.text(`${MARK}ping 01`));
    h.transport.setCapacity(Infinity);
    h.transport.drain();
    await h.clock.settle();
    assert.deepEqual(h.sent(), ["CONTINUATION two", "CONTINUATION three", "TEXT (8 bytes)", "TEXT behind"]);
  });

  test("I2: messages of a later version are ignored; what is no message of the protocol is a violation", async () => {
    const h = linkEnd();
    h.deliver(h.text(`${MARK}future`), h.text(`${MARK}future with (anything)`));
    assert.equal(h.connection.state, "open");
    for (const wrong of [
      "",
      "Ping 00",
      "ping 0",
      "ping 0G",
      "ping AB",
      `ping ${"00".repeat(126)}`,
      "x".repeat(1024),
      " ping",
    ]) {
      const bad = linkEnd();
      const received = collect(bad);
      bad.deliver(bad.text(MARK + wrong), bad.text("after"), bad.close(1002));
      bad.transport.eof();
      const info = summary(await bad.end());
      assert.deepEqual(
        [info.cause, info.sent?.code, info.error],
        ["protocol-error", 1002, "ProtocolError"],
        wrong,
      );
      assert.deepEqual(received, [], wrong);
    }
  });

  test("I2: recvStream() sees the application's message only, in pieces as they came", async () => {
    const h = linkEnd();
    const pieces: Message[] = [];
    const reading = (async () => {
      for await (const piece of h.connection.recvStream()) pieces.push(piece);
    })();
    await h.clock.settle();
    const fragment = (text: string, isFirst: boolean, isFinal: boolean) =>
      h.frame({ opcode: isFirst ? OPCODE.text : OPCODE.continuation, isFinal, payload: Buffer.from(text) });
    h.deliver(fragment(MARK, true, false), fragment("ping 0a", false, true));
    await h.clock.settle();
    assert.deepEqual(sentTexts(h), [`${MARK}pong 0a`]);
    h.deliver(fragment(MARK, true, false), fragment(`${MARK}one`, false, false));
    await h.clock.settle();
    h.deliver(fragment("two", false, true));
    await reading;
    assert.deepEqual(pieces, [`${MARK}one`, "two"]);
  });

  test("I2, E3: recvStream() leaves `maxMessageSize` to a message for topics, however small its pieces are", async () => {
    for (const [length, received] of [
      [5_000, ["1 t\n".length + 5_000]],
      [20_000, []],
    ] as const) {
      const h = linkEnd({ maxMessageSize: 10_000 });
      const lengths: number[] = [];
      coreOf(h.connection).link?.handleWord("pub", (argument) => lengths.push(argument.length));
      void h.connection.recvStream().next();
      await h.clock.settle();
      const piece = (payload: string, isFirst: boolean, isFinal: boolean): Uint8Array =>
        h.frame({
          opcode: isFirst ? OPCODE.text : OPCODE.continuation,
          isFinal,
          payload: Buffer.from(payload),
        });
      h.deliver(piece(`${MARK}pub 1 t\n`, true, false));
      for (let count = 1; count <= length; count++) h.deliver(piece("x", false, count === length));
      h.clock.turn();
      assert.deepEqual(lengths, received);
      const isTooLarge = received.length === 0;
      assert.equal(h.connection.state, isTooLarge ? "closing" : "open");
      const [close] = h.sentFrames();
      if (isTooLarge) assert.equal(Buffer.from(close.payload).readUInt16BE(), 1009);
    }
  });
});
