// Applications cannot request the names of the link protocol (docs/link-protocol.md).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  Client,
  connect,
  connectInWorker,
  connectPersistent,
  InvalidArgumentError,
  persist,
  reconnect,
  type ClientEvent,
} from "../../build/index.js";
import { activeResources, assertNothingLeft } from "holdfast-testkit";
import * as browser from "../../build/browser.js";

/** Nothing listens at this URL: a real attempt would fail with a different error. */
const URL = "ws://127.0.0.1:9/";

/** Each function that opens a connection. Returns its error. */
const ENTRIES: readonly (readonly [string, (names: Iterable<string> & object) => Promise<unknown>])[] = [
  ["connect()", (subprotocols) => connect(URL, { subprotocols })],
  ["connectInWorker()", (subprotocols) => connectInWorker(URL, { subprotocols })],
  ["Client", async (subprotocols) => new Client(URL, { subprotocols })],
  ["persist()", async (subprotocols) => persist(new Client(URL, { subprotocols }))],
  ["reconnect()", async (subprotocols) => reconnect(URL, { subprotocols })],
  ["connectPersistent()", async (subprotocols) => connectPersistent(URL, { subprotocols })],
  ["a page's connect()", (subprotocols) => browser.connect(URL, { subprotocols })],
  ["a page's Client", async (subprotocols) => new browser.Client(URL, { subprotocols })],
  ["a page's reconnect()", async (subprotocols) => browser.reconnect(URL, { subprotocols })],
  ["a page's connectPersistent()", async (subprotocols) => browser.connectPersistent(URL, { subprotocols })],
];

describe("Reserved subprotocols", () => {
  for (const [name, open] of ENTRIES) {
    test(`B5: ${name} refuses each of them before any I/O`, async () => {
      const resources = activeResources();
      for (const reserved of ["holdfast.v1", "holdfast.v1+chat", "holdfast.plain"]) {
        for (const names of [[reserved], new Set(["chat", reserved])]) {
          await assert.rejects(open(names), (error) => {
            assert(error instanceof InvalidArgumentError, String(error));
            assert.match(error.message, /^Expected `subprotocols` to be names .*link protocol/);
            assert(error.message.includes(`got "${reserved}"`), error.message);
            return true;
          });
        }
      }
      await assertNothingLeft(resources);
    });
  }

  test("B5, F5: a function that returns one ends persist(), reconnect() and connectPersistent()", async () => {
    const resources = activeResources();
    const options = { subprotocols: () => ["holdfast.plain"] };
    const events: ClientEvent[] = [];
    for await (const event of persist(new Client(URL, options))) events.push(event);
    assert.deepEqual(
      events.map(({ type }) => type),
      ["connecting", "connectFail", "disconnected"],
    );
    const last = events.at(-1);
    assert(last?.type === "disconnected" && last.error instanceof InvalidArgumentError);
    await assert.rejects(reconnect(URL, options)[Symbol.asyncIterator]().next(), InvalidArgumentError);
    const link = connectPersistent(URL, options);
    await link.closed;
    assert(link.status.state === "closed" && link.status.error instanceof InvalidArgumentError);
    await assertNothingLeft(resources);
  });

  test("B5: applications may use similar names", async () => {
    for (const name of ["holdfast", "holdfast.v3", "holdfast.v1.chat", "HOLDFAST.V1", "x-holdfast.plain"]) {
      new Client(URL, { subprotocols: [name] });
      new browser.Client(URL, { subprotocols: [name] });
    }
  });
});
