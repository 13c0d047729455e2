import assert from "node:assert/strict";
import { test } from "node:test";
import { joined } from "../../../build/transport/worker/message-text.js";
import { TextBytes } from "../../../build/index.js";

test("I1, E1: pieces of a message that nobody reads in pieces any more become one message, text in the requested form", () => {
  const bytes = [Uint8Array.of(1, 2), Uint8Array.of(3)];
  assert.deepEqual(joined(["a", "✓"], "string"), "a✓");
  assert.deepEqual(joined(["a", "✓"], "bytes"), new TextBytes(Buffer.from("a✓")));
  assert.deepEqual(joined(bytes, "bytes"), Uint8Array.of(1, 2, 3));
});
