// The secret of a session in the log and the diagnostics channels.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SecretHidingObserver } from "../../../build/transport/session/secret-hiding-observer.js";

const ID = "abcdefghijkl";
const SECRET = "s3cr3t-s3cr3t_s3cr3t-0";

function shown(text: string): string {
  let seen = "";
  const note = ({ payload }: { readonly payload: Uint8Array }): void => {
    seen = Buffer.from(payload).toString();
  };
  const observer = new SecretHidingObserver({ onFrameSent: note, onFrameReceived: note });
  const payload = Buffer.from(text);
  observer.onFrameReceived({
    opcode: 1,
    isFinal: true,
    isCompressed: false,
    length: payload.length,
    payload,
  });
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
