import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf } from "../../../build/server/inspect/identity.js";

test("P3: an IPv4 address is shown as such, also where the socket takes both families", () => {
  const shown = (address: string, port = 5): string | null => addressOf({ remoteAddress: { address, port } });
  assert.equal(shown("::ffff:10.0.0.7"), "10.0.0.7:5");
  assert.equal(shown("::FFFF:10.0.0.7"), "10.0.0.7:5");
  assert.equal(shown("10.0.0.7"), "10.0.0.7:5");
  assert.equal(shown("::1"), "[::1]:5");
  assert.equal(shown("::ffff:a00:7"), "[::ffff:a00:7]:5");
  assert.equal(shown("/run/app.sock", 0), "/run/app.sock");
  assert.equal(addressOf({ remoteAddress: null }), null);
});
