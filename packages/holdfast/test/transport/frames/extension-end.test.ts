import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageExtension } from "../../../build/protocol/extension.js";
import { Harness, ROLES } from "../../connection/harness.js";

for (const role of ROLES) {
  test(`E8: a ${role}'s extension learns once that the connection has ended`, async () => {
    let ends = 0;
    const extension: MessageExtension = {
      name: "x-counting",
      reservedBits: 0x40,
      threshold: 10,
      maxEncodedSize: (size) => size,
      decode: (payload) => payload,
      encode: () => null,
      end: () => {
        ends++;
      },
    };
    const h = new Harness({ role, extension });
    h.deliver(h.text("Hello"));
    assert.equal(ends, 0);
    h.connection.terminate();
    await h.end();
    assert.equal(ends, 1);
  });
}
