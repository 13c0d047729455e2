// The warning for a client on the link protocol that is sent the messages of a topic and does not read them.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ignore } from "../../build/shared/deferred.js";
import { Process, MARK } from "./fake-process.js";

const SECONDS = 1_000;
const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** A process, and a client whose server logs its warnings. */
function start(link: boolean) {
  const warnings: string[] = [];
  const logger = { ...SILENT, warn: (message: string) => void warnings.push(message) };
  const process = new Process();
  const peer = process.peer({ link, logger });
  return { process, peer, warnings };
}

describe("A client that the server has subscribed to a topic", () => {
  test("M7: one on the link protocol that never asks for a topic is reported once, some seconds after its messages", async () => {
    const { process, peer, warnings } = start(true);
    await process.topics.subscribe(peer.connection, "room 1");
    await peer.clock.advanceAsync(20 * SECONDS);
    assert.deepEqual(warnings, [], "No message yet");
    await process.publish("room 1", "hello");
    await peer.clock.advanceAsync(5 * SECONDS);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /"room 1".*subscribe\(connection, topic\).*not by recv\(\)/);
    const other = process.peer({ link: true });
    await process.topics.subscribe(other.connection, "room 1");
    await process.publish("room 1", "again");
    await peer.clock.advanceAsync(20 * SECONDS);
    assert.equal(warnings.length, 1);
  });

  test("M7: several are reported once, also if one that asked has ended meanwhile", async () => {
    const { process, peer, warnings } = start(true);
    const subscribed = async (): Promise<typeof peer> => {
      const next = process.peer({
        link: true,
        logger: { ...SILENT, warn: (line) => void warnings.push(line) },
      });
      await process.topics.subscribe(next.connection, "t");
      return next;
    };
    await process.topics.subscribe(peer.connection, "t");
    peer.deliver(peer.text(`${MARK}sub 1 t`));
    await peer.clock.advanceAsync(5 * SECONDS);
    await subscribed();
    peer.connection.terminate();
    await peer.end();
    await subscribed();
    await process.publish("t", "hello");
    await peer.clock.advanceAsync(20 * SECONDS);
    assert.equal(warnings.length, 1);
  });

  test("M7: one that asks within seconds, that has ended, or without the link protocol, is not", async () => {
    const asks = start(true);
    await asks.process.topics.subscribe(asks.peer.connection, "t");
    await asks.process.publish("t", "early");
    await asks.peer.clock.advanceAsync(4 * SECONDS);
    asks.peer.deliver(asks.peer.text(`${MARK}sub 1 t`));
    await asks.peer.clock.advanceAsync(20 * SECONDS);

    const ended = start(true);
    await ended.process.topics.subscribe(ended.peer.connection, "t");
    await ended.process.publish("t", "early");
    ended.peer.connection.terminate();
    await ended.peer.end();
    assert.equal(ended.process.shared.runtime.timers.size, 0);
    await ended.peer.clock.advanceAsync(20 * SECONDS);

    const plain = start(false);
    await plain.process.topics.subscribe(plain.peer.connection, "t");
    await plain.process.publish("t", "early");
    await plain.peer.clock.advanceAsync(20 * SECONDS);
    assert.deepEqual([asks.warnings, ended.warnings, plain.warnings], [[], [], []]);
  });
});
