// Tests of presence that every engine between processes passes, in real time: a process is stopped past its lease.

import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import type { Member } from "holdfast/topics";
import type { EngineBackend } from "./engine-contract.js";
import { BUSY } from "./engine-calls.js";
import { eventually } from "./eventually.js";

interface PresenceBackend extends Pick<EngineBackend, "close" | "open"> {
  /** The arguments of the program: where it reaches the server. */
  readonly args: readonly string[];
}

/**
 * @param program joins the topic "room" as "sleeper", with its process id as `pid`, and then sends a message
 * @param suffix the end of the title
 * @param skip why the test cannot run; false if it can
 */
export function testSleeper(
  { program, suffix, skip }: { program: URL; suffix: string; skip: string | false },
  openBackend: () => Promise<PresenceBackend>,
): void {
  test(
    `M5: a process that is stopped past its lease leaves no ghost, and no double when it continues${suffix}`,
    { skip },
    async () => {
      const backend = await openBackend();
      const engine = await backend.open();
      const child = fork(program, backend.args);
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
        await eventually(async () => assert.deepEqual([await list(), left], [[], [member]]), 30_000);
        assert.ok(performance.now() - stoppedAt < 12_000 + BUSY, "right within 12 s");

        child.kill("SIGCONT");
        await eventually(async () =>
          assert.deepEqual([await list(), joined, left], [[member], [member], [member]]),
        );
      } finally {
        child.kill("SIGKILL");
        await engine[Symbol.asyncDispose]();
        await backend.close();
      }
    },
  );
}

export function testLeaving(
  skip: string | false,
  openBackend: () => Promise<Pick<EngineBackend, "close" | "open">>,
): void {
  test("M5: the members of an engine that is closed leave at once", { skip }, async () => {
    const backend = await openBackend();
    const [leaves, stays] = [await backend.open(), await backend.open()];
    try {
      await leaves.presence.join("room", { id: "1", data: null });
      await leaves[Symbol.asyncDispose]();
      assert.deepEqual((await stays.presence.list("room")).members, []);
    } finally {
      await stays[Symbol.asyncDispose]();
      await backend.close();
    }
  });
}
