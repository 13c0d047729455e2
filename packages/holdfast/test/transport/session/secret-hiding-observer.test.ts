// The secret of a session in the log and the diagnostics channels.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ObservedFrame } from "../../../build/shared/observed-frame.js";
import { SecretHidingObserver } from "../../../build/transport/session/secret-hiding-observer.js";

const ID = "abcdefghijkl";
const SECRET = "s3cr3t-s3cr3t_s3cr3t-0";

type Frame = Omit<ObservedFrame, "length">;

const textFrame = (text: string): Frame => ({
  opcode: 1,
  isFinal: true,
  isCompressed: false,
  payload: Buffer.from(text),
});

/** The payloads of frames, as an observer sees them. */
function seenOf(direction: "onFrameReceived" | "onFrameSent", ...frames: readonly Frame[]): string[] {
  const seen: string[] = [];
  const note = ({ payload }: ObservedFrame): void => void seen.push(Buffer.from(payload).toString());
  const observer = new SecretHidingObserver({ onFrameSent: note, onFrameReceived: note });
  for (const frame of frames) observer[direction]({ ...frame, length: frame.payload.length });
  return seen;
}

function shown(text: string): string {
  const [seen = ""] = seenOf("onFrameReceived", textFrame(text));
  return seen;
}

test("L5: of the messages that carry a secret, only the secret is hidden", () => {
  const stars = "*".repeat(SECRET.length);
  for (const form of [
    "session ID SECRET 1cre8 sg",
    "resume ID SECRET 0 a1 2",
    "lost expired ID SECRET 1cre8 sg",
  ]) {
    const text = `\x16${form.replace("ID", ID)}`;
    assert.equal(shown(text.replace("SECRET", SECRET)), text.replace("SECRET", stars));
  }
  for (const text of ["\x16resumed z5 4", "\x16open", "\x16ack 2gosa7pa2gv", "hello"])
    assert.equal(shown(text), text);
});

test("L5: a message that begins like them is hidden after its word, however malformed it is", () => {
  for (const text of [
    `\x16resume  ${ID} ${SECRET} 0 1`,
    `\x16 resume ${ID} ${SECRET} 0 1`,
    `resume ${ID} ${SECRET} 0 1`,
    `\x16RESUME ${ID} ${SECRET} 0 1`,
    `\x16resume\t${ID}\t${SECRET}`,
    `\x16resume ${SECRET} 0 1`,
    `\x16resume ${SECRET} ${ID} 0 1`,
    `\x16resumed ${ID} ${SECRET}`,
    `\x16resume ${ID} ${SECRET} ${SECRET}`,
    `\x16resume ${ID} ${SECRET.slice(1)} 0 1`,
    `\x16lost ${ID} ${SECRET} 0 1`,
    `\x16resume ${" ".repeat(5_000)}${SECRET}`,
  ]) {
    const seen = shown(text);
    assert.doesNotMatch(seen, /s3cr3t/, text);
    assert.equal(seen.length, text.length);
  }
});

for (const direction of ["onFrameReceived", "onFrameSent"] as const) {
  test(`L5: a misplaced word does not show the secret, whole or in fragments (${direction})`, () => {
    const stars = "*".repeat(SECRET.length);
    const first = textFrame("\x16open");
    for (const word of ["resume", "session", "lost unknown"]) {
      const text = `\x16${word} ${ID} ${SECRET} 0 1`;
      assert.equal(seenOf(direction, first, textFrame(text))[1], text.replace(SECRET, stars));
      assert.equal(
        seenOf(direction, first, textFrame("x"), textFrame(text), textFrame(text))[3],
        text.replace(SECRET, stars),
      );
      for (const cut of [0, 1, 5, text.length - 10]) {
        const parts = [text.slice(0, cut), "", text.slice(cut)];
        const frames = parts.map((part, index) => ({
          ...textFrame(part),
          opcode: index === 0 ? 1 : 0,
          isFinal: index === 2,
        }));
        const seen = seenOf(direction, first, ...frames, textFrame("after"));
        assert.deepEqual(seen.slice(1), [...parts.map((part) => "*".repeat(part.length)), "after"]);
      }
    }
  });

  test(`L5: later messages are shown as they are (${direction})`, () => {
    const texts = ["\x16open", "session", "resume this", "\x16ack 3", "\x16m lost 1\nresume", "\x16want"];
    const frames = [
      ...texts.map(textFrame),
      { ...textFrame("lost"), isFinal: false },
      { ...textFrame("\x16 and found"), opcode: 0 },
      { ...textFrame("\x16 compressed"), isCompressed: true },
    ];
    assert.deepEqual(seenOf(direction, ...frames), [...texts, "lost", "\x16 and found", "\x16 compressed"]);
  });
}
