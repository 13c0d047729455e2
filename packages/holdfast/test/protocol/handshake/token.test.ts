import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { assertLinear } from "holdfast-testkit";
import { isToken, listHasToken, parseTokenList } from "../../../build/shared/token.js";

test("B5: exactly the characters of RFC 9110 section 5.6.2 make a token", () => {
  const characters = Array.from({ length: 0x180 }, (_, code) => String.fromCharCode(code));
  assert.equal(
    characters.filter(isToken).join(""),
    "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~",
  );
  assert.equal(isToken(""), false);
  assert.equal(isToken("a b"), false);
});

test("B3: a list is split at commas, without the white space and the empty elements (RFC 9110 section 5.6.1)", () => {
  assert.deepEqual(parseTokenList(" chat ,\tsuperchat,, __proto__ ,"), ["chat", "superchat", "__proto__"]);
});

test("B3: a list with something else than tokens, or with nothing, is refused with the reason", () => {
  assert.equal(
    parseTokenList("chat, super chat"),
    'Expected a comma-separated list of tokens, got the element "super chat".',
  );
  assert.equal(
    parseTokenList("a\u00a0"),
    'Expected a comma-separated list of tokens, got the element "a\\u00a0".',
  );
  assert.equal(parseTokenList(" , "), 'Expected at least one token, got " , ".');
  assert.equal(
    parseTokenList(",".repeat(17) + "a"),
    "Expected at most 16 empty elements in a comma-separated list, got more.",
  );
});

test("B3: a token is found in a list in any case, as a whole element only", () => {
  assert.equal(listHasToken("keep-alive, UPGRADE", "upgrade"), true);
  assert.equal(listHasToken("keep-alive,\tUpgrade ", "upgrade"), true);
  assert.equal(listHasToken("upgraded, re-upgrade", "upgrade"), false);
  assert.equal(listHasToken("", "upgrade"), false);
});

test("B3: joined lists are parsed again", () => {
  const token = fc.string({ unit: fc.constantFrom(..."azAZ09!~_^"), minLength: 1 });
  const separator = fc.constantFrom(",", ", ", " ,\t");
  fc.assert(
    fc.property(fc.array(token, { minLength: 1 }), separator, (tokens, glue) => {
      assert.deepEqual(parseTokenList(tokens.join(glue)), tokens);
    }),
  );
});

test("H: lists of 1 MiB of spaces, commas or quotes are read in linear time", async () => {
  for (const unit of [" ", ",", '"', "\t ", ", ", "a ", "a,"]) {
    const read = (size: number): void => {
      const text = unit.repeat(size / unit.length);
      parseTokenList(text);
      listHasToken(text, "upgrade");
    };
    await assertLinear(2 ** 20, read, JSON.stringify(unit));
  }
});
