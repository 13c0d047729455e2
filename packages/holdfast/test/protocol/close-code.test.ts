import assert from "node:assert/strict";
import { test } from "node:test";
import {
  closeCodeName,
  describeClose,
  isSendableCloseCode,
  MAX_REASON_SIZE,
} from "../../build/shared/close-code.js";

/** Each run of codes with one name, as D2 lists them: everything from 0 to 65,535. */
const NAMES: readonly (readonly [from: number, to: number, name: string])[] = [
  [0, 999, "unknown"],
  [1000, 1000, "OK"],
  [1001, 1001, "going away"],
  [1002, 1002, "protocol error"],
  [1003, 1003, "unsupported data"],
  [1004, 1004, "unknown"],
  [1005, 1005, "no status received [internal]"],
  [1006, 1006, "abnormal closure [internal]"],
  [1007, 1007, "invalid frame payload data"],
  [1008, 1008, "policy violation"],
  [1009, 1009, "message too big"],
  [1010, 1010, "mandatory extension"],
  [1011, 1011, "internal error"],
  [1012, 1012, "service restart"],
  [1013, 1013, "try again later"],
  [1014, 1014, "bad gateway"],
  [1015, 1015, "TLS handshake failure [internal]"],
  [1016, 2999, "unknown"],
  [3000, 3999, "registered"],
  [4000, 4999, "private use"],
  [5000, 65_535, "unknown"],
];

test("D2: each close code has its name (RFC 6455 section 7.4, IANA's registry)", () => {
  const runs: [number, number, string][] = [];
  for (let code = 0; code <= 65_535; code++) {
    const name = closeCodeName(code);
    const run = runs.at(-1);
    // 1005, 1006 and their kind stand alone by name; neighbours with one name make one run.
    if (run?.[2] === name) run[1] = code;
    else runs.push([code, code, name]);
  }
  assert.deepEqual(runs, NAMES);
});

test("D2: a Close is described as code (name) reason, and without a reason as code (name)", () => {
  const described = [
    describeClose({ code: 1000, reason: "" }),
    describeClose({ code: 1011, reason: "keepalive ping timeout" }),
    describeClose({ code: 1005, reason: "" }),
    describeClose({ code: 3008, reason: "a" }),
    describeClose({ code: 4999, reason: " " }),
    describeClose({ code: 2000, reason: "é€😀" }),
  ];
  assert.deepEqual(described, [
    "1000 (OK)",
    "1011 (internal error) keepalive ping timeout",
    "1005 (no status received [internal])",
    "3008 (registered) a",
    "4999 (private use)  ",
    "2000 (unknown) é€😀",
  ]);
});

test("D2: exactly 1000 to 1003, 1007 to 1014 and 3000 to 4999 may be sent (RFC 6455 section 7.4)", () => {
  const expected = [
    ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014],
    ...Array.from({ length: 2000 }, (_, index) => 3000 + index),
  ];
  const sendable = Array.from({ length: 65_536 }, (_, code) => code).filter(isSendableCloseCode);
  assert.deepEqual(sendable, expected);
  const odd = [-1000, 1000.5, 3000.1, NaN, Infinity, -Infinity, 2 ** 16 + 1000, 2 ** 32 + 1000];
  assert.deepEqual(odd.filter(isSendableCloseCode), []);
});

test("D2: a reason may have 125 bytes minus those of the code (RFC 6455 section 5.5)", () => {
  assert.equal(MAX_REASON_SIZE, 123);
});
