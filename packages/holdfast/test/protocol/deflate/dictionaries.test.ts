import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { ZlibOptions } from "node:zlib";
import {
  hasDictionaries,
  supportsDictionaries,
  type RawZlib,
} from "../../../build/protocol/deflate/negotiation.js";

type Bytes = Parameters<RawZlib["inflateRawSync"]>[0];

/** Imitates a runtime that accepts the option and ignores it. */
function withoutDictionary({ dictionary: _dictionary, ...options }: ZlibOptions = {}): ZlibOptions {
  return options;
}

const deflateWithout = (data: Bytes, options?: ZlibOptions) =>
  deflateRawSync(data, withoutDictionary(options));
const inflateWithout = (data: Bytes, options?: ZlibOptions) =>
  inflateRawSync(data, withoutDictionary(options));

describe("dictionaries of raw streams", () => {
  test("E8: a test detects whether the zlib of this runtime supports them", () => {
    assert.equal(hasDictionaries(), true);
  });

  test("E8: the test detects a zlib that ignores them in either direction", () => {
    const ignorant = [
      { deflateRawSync: deflateWithout, inflateRawSync },
      { deflateRawSync, inflateRawSync: inflateWithout },
      { deflateRawSync: deflateWithout, inflateRawSync: inflateWithout },
    ];
    assert.deepEqual(ignorant.map(supportsDictionaries), [false, false, false]);
  });
});
