import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { assertLinear } from "holdfast-testkit";
import { parseExtensions, serializeExtensions } from "../../../build/protocol/handshake/extension-header.js";

test("B3: the examples of RFC 6455 section 9.1", () => {
  assert.deepEqual(parseExtensions("deflate-stream"), [{ name: "deflate-stream", parameters: [] }]);
  assert.deepEqual(parseExtensions("mux; max-channels=4; flow-control, deflate-stream"), [
    {
      name: "mux",
      parameters: [
        { name: "max-channels", value: "4" },
        { name: "flow-control", value: null },
      ],
    },
    { name: "deflate-stream", parameters: [] },
  ]);
});

test("B3: values may be quoted and hold quoted pairs, and white space may stand between all words", () => {
  const parameters = [
    { name: "a", value: "1" },
    { name: "b", value: "xy" },
  ];
  assert.deepEqual(parseExtensions(' \tx ; a = "1" ;\tb="x\\y" , ,\t'), [{ name: "x", parameters }]);
});

test("E8: a parameter that comes twice is kept twice, for the extension to judge", () => {
  assert.deepEqual(parseExtensions("x; a=1; a"), [
    {
      name: "x",
      parameters: [
        { name: "a", value: "1" },
        { name: "a", value: null },
      ],
    },
  ]);
});

test("H: names of an object's prototype are names like any other", () => {
  assert.deepEqual(parseExtensions("__proto__; constructor=toString"), [
    { name: "__proto__", parameters: [{ name: "constructor", value: "toString" }] },
  ]);
});

const MALFORMED: readonly [header: string, reason: string][] = [
  ["", "Expected at least one extension at offset 0 of the list of extensions, got the end."],
  [" , ", "Expected at least one extension at offset 3 of the list of extensions, got the end."],
  ["a;", "Expected the name of a parameter at offset 2 of the list of extensions, got the end."],
  ["a;;b", 'Expected the name of a parameter at offset 2 of the list of extensions, got ";b".'],
  [
    "a;b=",
    'Expected a token, quoted or not, as the value of "b" at offset 4 of the list of extensions, got the end.',
  ],
  [
    'a;b=""',
    'Expected a token, quoted or not, as the value of "b" at offset 6 of the list of extensions, got the end.',
  ],
  [
    'a;b="1 2"',
    'Expected a token, quoted or not, as the value of "b" at offset 9 of the list of extensions, got the end.',
  ],
  [
    'a;b="1',
    'Expected a token, quoted or not, as the value of "b" at offset 4 of the list of extensions, got "\\"1".',
  ],
  [
    'a;b="1\\"',
    'Expected a token, quoted or not, as the value of "b" at offset 4 of the list of extensions, got "\\"1\\\\\\"".',
  ],
  [
    "a b",
    'Expected the name of an extension, a comma or a semicolon at offset 2 of the list of extensions, got "b".',
  ],
  [
    "=a",
    'Expected the name of an extension, a comma or a semicolon at offset 0 of the list of extensions, got "=a".',
  ],
  [
    'a;b="1"c',
    'Expected the name of an extension, a comma or a semicolon at offset 7 of the list of extensions, got "c".',
  ],
  [",".repeat(17) + "a", "Expected at most 16 empty elements in a list of extensions, got more."],
];
for (const [header, reason] of MALFORMED) {
  test(`B3: the list of extensions ${JSON.stringify(header)} is malformed`, () => {
    assert.equal(parseExtensions(header), reason);
  });
}

test("B3: serialised values are parsed again, quoted or not", () => {
  const token = fc.string({ unit: fc.constantFrom(..."azAZ09!~_^"), minLength: 1 });
  const parameter = fc.record({ name: token, value: fc.option(token) }, { noNullPrototype: true });
  const extension = fc.record({ name: token, parameters: fc.array(parameter) }, { noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(extension, { minLength: 1 }), (extensions) => {
      const header = serializeExtensions(extensions);
      assert.deepEqual(parseExtensions(header), extensions);
      assert.deepEqual(parseExtensions(header.replace(/=([^;,]+)/g, '="\\$1"')), extensions);
    }),
  );
});

test("H: any text gives a list of extensions or an error message", () => {
  const words = fc.array(fc.constantFrom("a", "b", ";", "=", ",", '"', "\\", " ", "\t", "\xff", "\0"));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        words.map((parts) => parts.join("")),
      ),
      (text) => {
        const result = parseExtensions(text);
        if (typeof result === "string") assert.match(result, /^Expected [\x20-\x7e…]+\.$/);
        else assert.deepEqual(parseExtensions(serializeExtensions(result)), result);
      },
    ),
    { numRuns: 1000 },
  );
});

test("H: 1 MiB of any text is read in linear time", async () => {
  for (const unit of [
    " ",
    ",",
    '"',
    "\\",
    ";",
    "=",
    "a ",
    "a,",
    "a;",
    ";a",
    "a=",
    ';a="b"',
    ';a="\\"',
    "\t ",
  ]) {
    for (const prefix of ["", "a", 'a;b="']) {
      const read = (size: number) => parseExtensions(prefix + unit.repeat(size / unit.length));
      await assertLinear(2 ** 20, read, JSON.stringify(prefix + unit));
    }
  }
});
