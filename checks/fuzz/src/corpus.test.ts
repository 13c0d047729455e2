import assert from "node:assert/strict";
import { test } from "node:test";
import { corpusFolder, readInputs } from "./corpus.js";
import { TARGETS, type TargetName } from "./targets.js";

for (const name of Object.keys(TARGETS) as TargetName[]) {
  test(`H: the fuzzer's corpus of ${name} breaks no promise`, async () => {
    const { fuzz, dictionary } = await TARGETS[name]();
    const inputs = readInputs(corpusFolder(name));
    assert.notEqual(inputs.length, 0);
    for (const [file, input] of inputs) {
      assert.doesNotThrow(() => fuzz(input), `${name}/${file}`);
    }
    for (const word of dictionary) fuzz(Buffer.from(word, "latin1"));
    fuzz(new Uint8Array());
  });
}
