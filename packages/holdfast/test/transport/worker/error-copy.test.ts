// Errors that cross from the worker to the page keep their class.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as node from "../../../build/index.js";
import * as browser from "../../../build/browser.js";
import { copyError, rebuildError } from "../../../build/transport/worker/error-copy.js";

type ErrorClass = new (...parameters: never[]) => Error;

/** The page creates these itself, or, for those of sessions, never gets them from a worker. */
const NEVER_COPIED = new Set([
  "ConnectionClosed",
  "ConnectionClosedError",
  "ConnectionClosedOK",
  "EngineUnavailableError",
  "NotSentError",
  "SessionFencedError",
  "SessionLostError",
  "WorkerError",
]);

describe("Errors between a worker and its page", () => {
  for (const [surface, exported] of [
    ["Node", node],
    ["browsers", browser],
  ] as const) {
    test(`I1: every error class that the library exports for ${surface} survives the copy`, () => {
      const kinds = Object.values<unknown>(exported).filter(isErrorClass);
      assert(kinds.length > NEVER_COPIED.size);
      const lost = kinds.filter((kind) => {
        const error = Object.create(kind.prototype as object) as Error;
        return !(rebuildError(structuredClone(copyError(error))) instanceof kind);
      });
      assert.deepEqual(
        lost.map(({ name }) => name).sort(),
        [...NEVER_COPIED].filter((name) => name in exported).sort(),
      );
    });
  }
});

function isErrorClass(value: unknown): value is ErrorClass {
  return typeof value === "function" && value.prototype instanceof Error;
}
