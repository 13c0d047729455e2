import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptKey } from "../../../build/protocol/handshake/accept-key.js";
import { SAMPLE_ACCEPT, SAMPLE_KEY } from "./heads.js";

test("B3: the accept key of the example of RFC 6455 section 1.3", () => {
  assert.equal(acceptKey(SAMPLE_KEY), SAMPLE_ACCEPT);
});
