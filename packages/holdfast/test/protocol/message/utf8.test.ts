import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { decodeText, decodeValidText, Utf8Validator } from "../../../build/protocol/message/utf8.js";
import { anyText } from "../arbitraries.js";
import { byteByByte, cutAt } from "../endpoint.js";
import { CODE_POINTS, INTERESTING_BYTES, NOT_UTF8 } from "./utf8-cases.js";

/** Possible ends of a valid start: nothing, or up to three continuation bytes, the first in any allowed range. */
const ENDS = ["", "80", "a0", "8080", "a080", "808080", "a08080"].map((end) => Buffer.from(end, "hex"));

/** Whether some text begins with `bytes`, found by trying Node's own check on every kind of end. */
function canBeText(bytes: Uint8Array): boolean {
  return ENDS.some((end) => isUtf8(Buffer.concat([bytes, end])));
}

/** The result after each piece: "bad" from the first invalid byte on, otherwise whether the text may end there. */
type Answer = "bad" | "complete" | "incomplete";

function answers(pieces: readonly Uint8Array[]): Answer[] {
  const validator = new Utf8Validator();
  const list: Answer[] = [];
  for (const piece of pieces) {
    if (!validator.push(piece)) return [...list, "bad"];
    list.push(validator.isComplete ? "complete" : "incomplete");
  }
  return list;
}

function expectedAnswers(pieces: readonly Uint8Array[]): Answer[] {
  const list: Answer[] = [];
  let seen = Buffer.alloc(0);
  for (const piece of pieces) {
    seen = Buffer.concat([seen, piece]);
    if (!canBeText(seen)) return [...list, "bad"];
    list.push(isUtf8(seen) ? "complete" : "incomplete");
  }
  return list;
}

test("E1: the first byte and each next of a sequence are judged as RFC 3629 section 4 says", () => {
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      const pieces = [Uint8Array.of(first), Uint8Array.of(second)];
      assert.deepEqual(answers(pieces), expectedAnswers(pieces));
    }
  }
  for (const first of [0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4]) {
    for (const second of INTERESTING_BYTES) {
      for (const third of INTERESTING_BYTES) {
        const bytes = Uint8Array.of(first, second, third, 0xbf, 0x41);
        assert.deepEqual(answers(byteByByte(bytes)), expectedAnswers(byteByByte(bytes)));
      }
    }
  }
});

test("E1: any bytes cut anywhere fail at the first that cannot be text (RFC 6455 section 8.1)", () => {
  const byte = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...INTERESTING_BYTES) }, fc.nat(255));
  const character = anyText(4).map((text) => [...Buffer.from(text)]);
  const bytes = fc
    .array(
      fc.oneof(
        { weight: 4, arbitrary: character },
        byte.map((one) => [one]),
      ),
      { maxLength: 12 },
    )
    .map((list) => Uint8Array.from(list.flat()));
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(60)), (content, places) => {
      const pieces = cutAt(content, places);
      assert.deepEqual(answers(pieces), expectedAnswers(pieces));
      assert.deepEqual(answers(byteByByte(content)), expectedAnswers(byteByByte(content)));
    }),
    { numRuns: 500 },
  );
});

test("E1: each boundary of the code points passes, whole and cut at each of its bytes (RFC 3629 section 3)", () => {
  for (const codePoint of CODE_POINTS) {
    const character = Buffer.from(String.fromCodePoint(codePoint));
    const content = Buffer.concat([Buffer.from("a"), character, Buffer.from("z")]);
    for (const pieces of [[content], byteByByte(content)]) {
      assert.deepEqual(answers(pieces), expectedAnswers(pieces));
      assert.equal(answers(pieces).at(-1), "complete");
    }
    for (let place = 1; place < content.length; place++) {
      const isInside = place > 1 && place < 1 + character.length;
      assert.deepEqual(answers(cutAt(content, [place])), [isInside ? "incomplete" : "complete", "complete"]);
    }
  }
});

test("E1: each kind of bad sequence fails at its bad byte, whatever came before (RFC 3629 section 10)", () => {
  for (const { title, bytes, badAt } of NOT_UTF8) {
    const fails = [...Array<Answer>(badAt).fill("complete"), "bad"].map((answer, index) => [answer, index]);
    const got = answers(byteByByte(bytes)).map((answer, index) => [
      answer === "bad" ? "bad" : "complete",
      index,
    ]);
    assert.deepEqual(got, fails, title);
    assert.equal(answers([Buffer.concat([Buffer.from("aé€😀"), bytes])]).at(-1), "bad", title);
  }
});

test("E1: decoding equals a TextDecoder that is fatal and keeps the byte order mark (RFC 6455 section 8.1)", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const reference = (bytes: Uint8Array) => {
    try {
      return decoder.decode(bytes);
    } catch {
      return null;
    }
  };
  const content = fc.oneof(
    anyText(60).map((text) => Buffer.from(text)),
    fc
      .array(fc.constantFrom("a", "é", "\ufeff", "\ufffd", "😀"), { maxLength: 9 })
      .map((list) => Buffer.from(list.join(""))),
    fc.array(fc.constantFrom(...INTERESTING_BYTES), { maxLength: 6 }).map((list) => Buffer.from(list)),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(content, fc.nat(6), fc.nat(6), (bytes, before, after) => {
      const around = Buffer.concat([Buffer.alloc(before, 0xff), bytes, Buffer.alloc(after, 0x80)]);
      assert.equal(decodeText(around, before, before + bytes.length), reference(bytes));
    }),
    { numRuns: 500 },
  );
  for (const { title, bytes } of NOT_UTF8)
    assert.equal(decodeText(Buffer.from(bytes), 0, bytes.length), null, title);
  for (const codePoint of CODE_POINTS) {
    const character = String.fromCodePoint(codePoint);
    const bytes = Buffer.from(character);
    assert.equal(decodeText(bytes, 0, bytes.length), character);
    for (let end = 1; end < bytes.length; end++) assert.equal(decodeText(bytes, 0, end), null, "cut off");
  }
});

test("E1: long text decodes as the plain decoder does it, whatever characters it is made of", () => {
  const alphabets = ["a", "aé", "a€", "a😀", "\ufeffa", "\ufffd", "é€😀z"];
  const length = fc.integer({ min: 500, max: 3000 });
  fc.assert(
    fc.property(
      fc.constantFrom(...alphabets),
      length,
      anyText(5),
      fc.nat(7),
      (alphabet, count, tail, offset) => {
        const text = alphabet.repeat(count) + tail;
        const bytes = Buffer.from(text);
        const chunk = Buffer.concat([Buffer.alloc(offset, 0xff), bytes, Buffer.alloc(3, 0xff)]);
        assert.equal(decodeText(chunk, offset, offset + bytes.length), text);
        assert.equal(decodeValidText(bytes), text);
      },
    ),
  );
});

test("E1: one bad byte anywhere in long text is found (RFC 6455 section 8.1)", () => {
  const good = Buffer.from("long text é€😀 ".repeat(300));
  for (let at = 0; at < good.length; at += 101) {
    const bytes = Buffer.from(good);
    bytes[at] = 0xff;
    assert.equal(decodeText(bytes, 0, bytes.length), null);
  }
});
