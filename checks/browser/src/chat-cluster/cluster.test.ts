// `npm run example -- chat-cluster`: one of its processes is killed while somebody watches the page.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertAccessible } from "../browser/accessibility.js";
import { ChatPage, ChatProgram, skip } from "./chat-cluster.js";

describe("npm run example -- chat-cluster", { skip, timeout: 300_000 }, () => {
  let program: ChatProgram;
  let chat: ChatPage;

  before(async () => {
    program = new ChatProgram("--port", "0");
    chat = await ChatPage.open(await program.url());
  });
  after(async () => {
    // Both are undefined if `before` failed.
    await (chat as ChatPage | undefined)?.[Symbol.asyncDispose]();
    program.end("SIGKILL");
  });

  test("M2, L1: the page's process is killed by its button; nothing is missing or repeated, and the session goes on", async () => {
    const own = await chat.ownServer();
    await chat.hasReceived(20);
    await chat.kill(own);
    await chat.say("Sent while the process is gone");
    const posts = chat.page.locator("#posts .own p", { hasText: "Sent while the process is gone" });
    await posts.waitFor({ timeout: 40_000 });
    await chat.page.waitForFunction(
      () => document.getElementById("reconnects")?.textContent === "1",
      undefined,
      {
        timeout: 40_000,
      },
    );
    assert.notEqual(await chat.ownServer(), own);
    const { received } = await chat.score();
    await chat.hasReceived(received + 20);
    const { missing, repeated, gaps, reconnects } = await chat.score();
    assert.deepEqual(
      { missing, repeated, gaps, reconnects },
      { missing: 0, repeated: 0, gaps: 0, reconnects: 1 },
    );
    assert.equal(await posts.count(), 1, "It was published once.");
    assert.equal(await chat.page.locator("#waiting li").count(), 0);
    const log = (await chat.page.locator("#log").textContent()) ?? "";
    assert.match(log, new RegExp(`${own} was killed`));
    assert.match(log, /Session resumed after/);
    assert.doesNotMatch(log, /Session lost/);
  });

  test("M5: the people of the killed process are marked, and gone within 12 s of it", async () => {
    await chat.page.waitForFunction(() => document.querySelector(".people .gone") === null, undefined, {
      timeout: 30_000,
    });
    // The page and three robots are in a room each.
    assert.equal(await chat.page.locator(".people li:not(.nobody)").count(), 4);
    assert.deepEqual(chat.errors, []);
  });

  test("Demo: the chat has no accessibility problem, and is never wider than the screen", async () => {
    await assertAccessible(chat, [
      ["light", 390],
      ["light", 1280],
      ["dark", 390],
      ["dark", 1280],
    ]);
  });

  test("Demo: SIGTERM ends the program and all of its processes, quietly", async () => {
    // On a busy machine Redis may have been slow before.
    const complaints = program.stderr;
    program.end();
    const { code, stdout, stderr } = await program.ended();
    assert.deepEqual({ code, stderr }, { code: 0, stderr: complaints });
    for (const [, pid] of stdout.matchAll(/process (\d+)$/gm)) {
      assert.throws(() => process.kill(Number(pid), 0), /ESRCH/);
    }
  });
});

describe("npm run example -- chat-cluster without a Redis", { skip, timeout: 300_000 }, () => {
  test("Demo: an address of Redis that does not answer is one clear line, and exit code 1", async () => {
    const program = new ChatProgram("--port", "0", "--redis", "redis://127.0.0.1:1");
    const { code, stdout, stderr } = await program.ended();
    assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
    assert.match(stderr, /^Redis cannot be reached at redis:\/\/127\.0\.0\.1:1: .*ECONNREFUSED.*\n$/);
  });
});
