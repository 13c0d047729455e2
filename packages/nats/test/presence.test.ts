import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import type { Member } from "holdfast/topics";
import { natsEngine } from "../dist/index.js";
import { eventually } from "./eventually.js";
import { missing, NatsServer } from "./nats-server.js";

test(
  `M5: a process that is stopped past its lease leaves no ghost, and no double when it continues`,
  { skip: missing },
  async () => {
    const server = await NatsServer.start();
    const opened = await server.connect();
    const engine = natsEngine({ connection: opened });
    const args = [String(server.port)];
    const child = fork(new URL("presence-process.js", import.meta.url), args);
    try {
      await once(child, "message");
      const member: Member = { id: "sleeper", data: { pid: child.pid } };
      const joined: Member[] = [];
      const left: Member[] = [];
      const { members } = await engine.presence.watch("room", (change) => {
        joined.push(...(change?.joined ?? []));
        left.push(...(change?.left ?? []));
      });
      assert.deepEqual(members, [member]);

      child.kill("SIGSTOP");
      const stoppedAt = performance.now();
      const list = async (): Promise<readonly Member[]> => (await engine.presence.list("room")).members;
      await eventually(async () => assert.deepEqual([await list(), left], [[], [member]]), 15_000);
      assert.ok(performance.now() - stoppedAt < 12_000, "right within 12 s");

      child.kill("SIGCONT");
      await eventually(async () =>
        assert.deepEqual([await list(), joined, left], [[member], [member], [member]]),
      );
    } finally {
      child.kill("SIGKILL");
      await engine[Symbol.asyncDispose]();
      await opened.close();
      await server.close();
    }
  },
);

test("M5: the members of an engine that is closed leave at once", { skip: missing }, async () => {
  const server = await NatsServer.start();
  const opened = await server.connect();
  const [leaves, stays] = [natsEngine({ connection: opened }), natsEngine({ connection: opened })];
  try {
    await leaves.presence.join("room", { id: "1", data: null });
    await leaves[Symbol.asyncDispose]();
    assert.deepEqual((await stays.presence.list("room")).members, []);
  } finally {
    await stays[Symbol.asyncDispose]();
    await opened.close();
    await server.close();
  }
});
