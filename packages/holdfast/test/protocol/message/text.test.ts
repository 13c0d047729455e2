import assert from "node:assert/strict";
import { test } from "node:test";
import { OPCODE, type FrameOptions } from "holdfast-testkit";
import { byteByByte, cutAt, Endpoint, frameTo, framesTo, ROLES } from "../endpoint.js";
import { NOT_TEXT, ping, text } from "../recorder.js";
import { CODE_POINTS, NOT_UTF8 } from "./utf8-cases.js";

/** The number of chunks until a failure was reported; null if none was. */
function failsAfter(endpoint: Endpoint, chunks: readonly Uint8Array[]): number | null {
  for (const [index, chunk] of chunks.entries()) {
    if (endpoint.receive(chunk).length > 0) {
      assert.deepEqual(endpoint.told, [NOT_TEXT]);
      return index + 1;
    }
  }
  return null;
}

/** An endless message with one byte per fragment. */
function endlessFragments(content: Uint8Array): FrameOptions[] {
  return byteByByte(content).map((payload, index) => ({
    opcode: index === 0 ? OPCODE.text : OPCODE.continuation,
    payload,
    isFinal: false,
  }));
}

for (const role of ROLES) {
  const headerSize = role === "server" ? 6 : 2;

  test(`E1: a ${role} fails a fragmented text at its first bad byte, before the message ends (RFC 6455 section 8.1)`, () => {
    for (const { title, bytes, badAt } of NOT_UTF8) {
      const fragments = endlessFragments(bytes).map((options) => frameTo(role, options));
      assert.equal(failsAfter(new Endpoint(role), fragments), badAt + 1, title);
    }
  });

  test(`E1: a ${role} fails a text that arrives byte by byte at its first bad byte (RFC 6455 section 8.1)`, () => {
    for (const { title, bytes, badAt } of NOT_UTF8) {
      const content = Buffer.concat([Buffer.from("aé€😀"), bytes, Buffer.from("the rest")]);
      const whole = frameTo(role, { opcode: OPCODE.text, payload: content });
      const expected = headerSize + 10 + badAt + 1;
      assert.equal(failsAfter(new Endpoint(role), byteByByte(whole)), expected, title);
    }
  });

  test(`E1: a ${role} fails a text that is not UTF-8 in one frame, and wherever that is cut (RFC 6455 section 8.1)`, () => {
    for (const { title, bytes } of NOT_UTF8) {
      const whole = frameTo(role, { opcode: OPCODE.text, payload: bytes });
      assert.deepEqual(new Endpoint(role).receive(whole), [NOT_TEXT], title);
      for (let place = 1; place < whole.length; place++) {
        assert.deepEqual(new Endpoint(role).receive(cutAt(whole, [place])), [NOT_TEXT], title);
      }
    }
  });

  test(`E1: a ${role} fails a text that ends inside of a character, when it ends (RFC 6455 section 5.6)`, () => {
    for (const character of ["é", "€", "😀"]) {
      const bytes = Buffer.from(`a${character}`);
      for (let size = 2; size < bytes.length; size++) {
        const content = bytes.subarray(0, size);
        const whole = frameTo(role, { opcode: OPCODE.text, payload: content });
        assert.deepEqual(new Endpoint(role).receive(whole), [NOT_TEXT]);
        assert.equal(failsAfter(new Endpoint(role), byteByByte(whole)), whole.length);
        const fragments = [...endlessFragments(content), { opcode: OPCODE.continuation }];
        const frames = fragments.map((options) => frameTo(role, options));
        assert.equal(failsAfter(new Endpoint(role), frames), frames.length);
      }
    }
  });

  test(`E1: a ${role} puts characters together that frames and chunks cut, at each place (RFC 6455 section 5.6)`, () => {
    for (const codePoint of CODE_POINTS) {
      const content = `a${String.fromCodePoint(codePoint)}z`;
      const bytes = Buffer.from(content);
      const whole = frameTo(role, { opcode: OPCODE.text, payload: bytes });
      assert.deepEqual(new Endpoint(role).receive(whole), [text(content)]);
      for (let place = 1; place < whole.length; place++) {
        assert.deepEqual(new Endpoint(role).receive(cutAt(whole, [place])), [text(content)]);
      }
      for (let place = 0; place <= bytes.length; place++) {
        const stream = framesTo(
          role,
          { opcode: OPCODE.text, payload: bytes.subarray(0, place), isFinal: false },
          { opcode: OPCODE.ping },
          { opcode: OPCODE.continuation, payload: bytes.subarray(place) },
        );
        assert.deepEqual(new Endpoint(role).receive(stream), [ping(""), text(content)]);
        assert.deepEqual(new Endpoint(role).receive(byteByByte(stream)), [ping(""), text(content)]);
      }
    }
  });

  test(`E1: a ${role} starts each text afresh, and checks no binary message (RFC 6455 section 5.6)`, () => {
    const bad = Buffer.from("ff", "hex");
    const stream = framesTo(
      role,
      { opcode: OPCODE.text, payload: Buffer.from("é"), isFinal: false },
      { opcode: OPCODE.continuation },
      { opcode: OPCODE.binary, payload: bad, isFinal: false },
      { opcode: OPCODE.continuation, payload: bad },
      { opcode: OPCODE.text, payload: Buffer.from("€") },
      { opcode: OPCODE.text, payload: Buffer.from("😀"), isFinal: false },
      { opcode: OPCODE.continuation, payload: Buffer.from("\ufeff") },
    );
    const expected = [
      text("é"),
      { type: "binary", bytes: Uint8Array.of(0xff, 0xff) },
      text("€"),
      text("😀\ufeff"),
    ];
    assert.deepEqual(new Endpoint(role).receive(stream), expected);
    assert.deepEqual(new Endpoint(role).receive(byteByByte(stream)), expected);
  });

  test(`E1: a ${role} accepts text with ASCII and other pieces, and finds invalid UTF-8 after any of them`, () => {
    const ascii = "text ".repeat(500);
    const texts = [ascii, `${ascii}é`, `é${ascii}`, `${ascii}€${ascii}`, `${ascii}${ascii}😀`];
    for (const content of texts) {
      const bytes = Buffer.from(content);
      const bad = Buffer.concat([bytes, Buffer.of(0xc3)]);
      for (const place of [1, 2, 3, 1100, 2499, 2500, 2501, 2502, 2503, bytes.length - 1]) {
        const fragments = (whole: Buffer): Uint8Array =>
          framesTo(
            role,
            { opcode: OPCODE.text, payload: whole.subarray(0, place), isFinal: false },
            { opcode: OPCODE.continuation, payload: whole.subarray(place) },
          );
        const inFragments = fragments(bytes);
        const inOneFrame = frameTo(role, { opcode: OPCODE.text, payload: bytes });
        for (const chunks of [
          [inFragments],
          cutAt(inFragments, [place + 9]),
          cutAt(inOneFrame, [place + 9]),
        ]) {
          const asBytes = { type: "binary", bytes: Uint8Array.from(bytes) } as const;
          assert.deepEqual(new Endpoint(role).receive(chunks), [text(content)]);
          assert.deepEqual(new Endpoint(role, { text: "bytes" }).receive(chunks), [asBytes]);
        }
        assert.deepEqual(new Endpoint(role).receive(fragments(bad)), [NOT_TEXT]);
      }
    }
  });
}
