// Removing spaces from the package's code changes neither its meaning nor its lines.

import assert from "node:assert/strict";
import { test } from "node:test";
import { transform } from "esbuild";
import { withoutSpaces } from "./spaces.mjs";

const code = [
  "class Total {",
  "  #sum = 0;",
  "  static async *[Symbol.iterator]() {",
  "    yield* await this.all;",
  "  }",
  "  get value() {",
  "    return typeof this.#sum in { a: 1 } ? - -this.#sum : + +this.#sum + ++this.#sum - --this.#sum;",
  "  }",
  "}",
  "const text = \"two  spaces\" + `a  ${ text2  +  1 }  b` + '  ';",
  "const pattern = 4 / 2 / /a  [/ ]  b/g.exec(text).length;",
  "const number = 1 .toString() + 1.5.toFixed() + (a ? .5 : a ?.b);",
  "const made = /* @__PURE__ */ new Total(), größe = void 0, $a = !0;",
  "for (const each of [ ...text ]) if (each in text) throw new Error(`",
  "    indented  in a template`);",
  "export { made as default };",
].join("\n");

test("code without spaces means the same", async () => {
  const minified = async (text) => (await transform(text, { minify: true, format: "esm" })).code;
  assert.equal(await minified(withoutSpaces(code)), await minified(code));
});

test("the lines of code without spaces stay, and comments for bundlers do too", () => {
  const lines = withoutSpaces(code).split("\n");
  assert.equal(lines.length, code.split("\n").length);
  assert.equal(lines[0], "class Total{");
  assert.equal(lines[2], "static async*[Symbol.iterator](){");
  assert.equal(lines[12], "const made=/* @__PURE__ */new Total(),größe=void 0,$a=!0;");
  assert.equal(lines.at(-2), "    indented  in a template`);");
});
