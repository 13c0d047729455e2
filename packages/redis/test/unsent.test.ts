// ioredis says that it is ready for a moment after its socket has ended, and then refuses commands.

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { failureWithin, publishingWith } from "../../holdfast/test-dist/topics/engine-calls.js";
import { eventually } from "../../holdfast/test-dist/topics/eventually.js";
import { openClient } from "./backends.js";
import { missing } from "./redis-server.js";
import { useResources } from "./resources.js";

const publish = publishingWith({ messages: 100, age: 60_000 });
const failureOf = failureWithin(3_000);

/** A client of ioredis, as far as the test needs it. */
interface Duplicated {
  readonly stream: Socket;
}

const { start, engineOf } = useResources();

test(
  "M8: a command that ioredis refuses because its socket has ended was not sent",
  { skip: missing },
  async () => {
    const server = await start();
    const { client, close } = await openClient("ioredis", server.port);
    const copies: Duplicated[] = [];
    const source = client as unknown as { duplicate: (options: object) => Duplicated };
    const duplicate = source.duplicate.bind(source);
    source.duplicate = (options) => {
      const copy = duplicate(options);
      copies.push(copy);
      return copy;
    };
    const engine = engineOf(client, close);
    await eventually(() => publish(engine, "a", "first", { id: "first" }));
    for (const { stream } of copies) stream.end();
    const { outcome, message } = await failureOf(() => publish(engine, "a", "second"));
    assert.deepEqual(
      [outcome, message],
      ["unsent", "There is no connection to Redis. Nothing was sent, so try again."],
    );
    const { offset } = await eventually(() => publish(engine, "a", "second", { id: "second" }));
    assert.equal(offset, 2);
  },
);
