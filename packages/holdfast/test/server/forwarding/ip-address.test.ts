import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addressBytes,
  isInRange,
  isLoopbackAddress,
  parseForwardedAddress,
  parseRange,
} from "../../../build/server/forwarding/ip-address.js";

const hex = (text: string) => {
  const bytes = addressBytes(text);
  return bytes === null ? null : Buffer.from(bytes).toString("hex");
};

test("G10: the bytes of an address, IPv4 in the form of IPv6 (RFC 4291 section 2.5.5.2)", () => {
  const table: readonly (readonly [text: string, bytes: string | null])[] = [
    ["1.2.3.4", "00000000000000000000ffff01020304"],
    ["::ffff:1.2.3.4", "00000000000000000000ffff01020304"],
    ["::ffff:102:304", "00000000000000000000ffff01020304"],
    ["::", "00000000000000000000000000000000"],
    ["::1", "00000000000000000000000000000001"],
    ["2001:db8::", "20010db8000000000000000000000000"],
    ["2001:DB8:1:2:3:4:5:6", "20010db8000100020003000400050006"],
    ["fe80::1%eth0", "fe800000000000000000000000000001"],
    ["64:ff9b::1.2.3.4", "0064ff9b000000000000000001020304"],
    ["01.2.3.4", null],
    ["1.2.3", null],
    ["1.2.3.256", null],
    [":::", null],
    ["1::2::3", null],
    ["", null],
    ["localhost", null],
  ];
  for (const [text, bytes] of table) assert.equal(hex(text), bytes, text);
});

test("G10: a range holds the addresses whose first bits are its own (RFC 4632 section 3.1)", () => {
  const table: readonly (readonly [range: string, address: string, isIn: boolean])[] = [
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.0.0.0/9", "10.127.255.255", true],
    ["10.0.0.0/9", "10.128.0.0", false],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["1.2.3.4", "1.2.3.4", true],
    ["1.2.3.4/32", "1.2.3.5", false],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["::1", "::1", true],
    ["::1", "0:0:0:0:0:0:0:1", true],
  ];
  for (const [range, address, isIn] of table) {
    const parsed = parseRange(range);
    const bytes = addressBytes(address);
    assert(parsed !== null && bytes !== null);
    assert.equal(isInRange(bytes, parsed), isIn, `${address} in ${range}`);
  }
  for (const text of ["10.0.0.0/33", "::/129", "10.0.0.0/", "/8", "10.0.0.0/8/8", "10.0.0.0/-1", "a"]) {
    assert.equal(parseRange(text), null, text);
  }
});

test("G10: an entry of X-Forwarded-For is an address, with a port or without", () => {
  const table: readonly (readonly [text: string, address: string | null, port?: number])[] = [
    ["1.2.3.4", "1.2.3.4", 0],
    ["1.2.3.4:5678", "1.2.3.4", 5678],
    ["2001:db8::1", "2001:db8::1", 0],
    ["[2001:db8::1]", "2001:db8::1", 0],
    ["[2001:db8::1]:443", "2001:db8::1", 443],
    ["::ffff:1.2.3.4", "::ffff:1.2.3.4", 0],
    ["1.2.3.4:99999", null],
    ["[1.2.3.4]", null],
    ["[]", null],
    ["[::1", null],
    ["::1]", null],
    ["fe80::1%eth0", null],
    ["1.2.3.4:", null],
    ["unknown", null],
    ["_hidden", null],
    ["localhost", null],
    ["", null],
  ];
  for (const [text, address, port] of table) {
    assert.deepEqual(parseForwardedAddress(text), address === null ? null : { address, port }, text);
  }
});

test("G10: loopback is 127.0.0.0/8 and ::1, in each way to write them", () => {
  for (const text of ["127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1"]) {
    assert.equal(isLoopbackAddress(text), true, text);
  }
  for (const text of ["128.0.0.1", "0.0.0.0", "::", "::2", "::127.0.0.1", "localhost", ""]) {
    assert.equal(isLoopbackAddress(text), false, text);
  }
});

test("H: whatever stands in X-Forwarded-For, it is read without an error", () => {
  const node = fc.oneof(fc.string({ unit: "binary" }), fc.ipV4(), fc.ipV6(), fc.ipV4Extended());
  fc.assert(
    fc.property(node, node, (left, right) => {
      for (const text of [left, right, `${left}:${right}`, `[${left}]:${right}`, `${left}/${right}`]) {
        const address = parseForwardedAddress(text);
        if (address !== null) assert.notEqual(addressBytes(address.address), null);
        parseRange(text);
      }
    }),
  );
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const url = new URL(`http://[${text}]/`); // Formats an address in its shortest form.
      assert.equal(hex(text), hex(url.hostname.slice(1, -1)));
    }),
  );
});
