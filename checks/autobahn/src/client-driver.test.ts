import assert from "node:assert/strict";
import { test } from "node:test";
import {
  acceptKey,
  activeResources,
  assertNothingLeft,
  OPCODE,
  RawServer,
  slowness,
  type RawServerPeer,
} from "holdfast-testkit";
import { runCases } from "./client-driver.js";

const COMMAND = { agent: "Hold fast", cases: null, caseTimeout: 60_000, isCompressing: false };

/** For runs with a case that never ends. */
const SHORT_TIMEOUT = 300 * slowness();

/** Plays one case of the scripted fuzzing server. */
type Case = (peer: RawServerPeer) => Promise<void> | void;

const CASES: readonly Case[] = [
  // It echoes, and both ends close.
  async (peer) => {
    peer.sendText("é");
    const text = await peer.readFrame();
    assert.deepEqual([text.opcode, Buffer.from(text.payload).toString()], [OPCODE.text, "é"]);
    peer.sendBinary("\x00\xff");
    assert.equal((await peer.readFrame()).opcode, OPCODE.binary);
    peer.sendClose(1000);
    await peer.readFrame();
    peer.end();
  },
  // We fail the connection, as the case expects.
  async (peer) => {
    peer.sendFrame({ opcode: OPCODE.text, payload: "x", rsv: 7 });
    assert.equal((await peer.readFrame()).opcode, OPCODE.close);
    peer.end();
  },
  // The server disconnects without a Close, with and without an echo in flight.
  (peer) => peer.end(),
  async (peer) => {
    peer.sendBinary("x".repeat(1024 * 1024));
    await peer.pause(20);
    peer.reset();
  },
  // A case that never ends, and one that never opens.
  () => undefined,
];

async function play(peer: RawServerPeer, asked: string[]): Promise<void> {
  const request = await peer.readHead();
  const target = request.startLine.split(" ")[1] ?? "";
  asked.push(target);
  if (target.includes("case=6&")) {
    peer.respond(500);
    peer.end();
    return;
  }
  const accept = acceptKey(request.header("Sec-WebSocket-Key") ?? "");
  peer.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  if (target.startsWith("/runCase")) {
    await CASES[Number(/case=(\d+)/.exec(target)?.[1]) - 1]?.(peer);
    return;
  }
  if (target === "/getCaseCount") peer.sendText("6");
  peer.sendClose(1000);
  await peer.readFrame();
  peer.end();
}

test("The driver runs every case, accepts any ending, and reports cases that never opened or never ended", async () => {
  const before = activeResources();
  const asked: string[] = [];
  const server = await RawServer.start({}, (peer) => play(peer, asked));
  const lines: string[] = [];
  const url = server.url();
  const result = await runCases({ ...COMMAND, caseTimeout: SHORT_TIMEOUT, url }, (line) => lines.push(line));
  assert.deepEqual(asked, [
    "/getCaseCount",
    ...[1, 2, 3, 4].flatMap((number) => [
      `/runCase?case=${number}&agent=Hold%20fast`,
      `/getCaseStatus?case=${number}&agent=Hold%20fast`,
    ]),
    ...[5, 6].map((number) => `/runCase?case=${number}&agent=Hold%20fast`),
    "/updateReports?agent=Hold%20fast",
  ]);
  const refused = `Expected ${url}runCase?… to answer 101 (Switching Protocols), got 500 Internal Server Error.`;
  assert.deepEqual(lines, [
    "case 1 of 6: ended",
    "case 2 of 6: ended",
    "case 3 of 6: ended",
    "case 4 of 6: ended",
    `case 5 of 6: had not ended after ${SHORT_TIMEOUT} ms`,
    `case 6 of 6: ${refused}`,
  ]);
  assert.deepEqual(result, {
    run: 6,
    failures: [
      { case: 5, reason: `had not ended after ${SHORT_TIMEOUT} ms` },
      { case: 6, reason: refused },
    ],
  });
  await server.close();
  await assertNothingLeft(before);
});

test("The driver runs the requested cases, as far as they exist", async () => {
  const asked: string[] = [];
  await using server = await RawServer.start({}, (peer) => play(peer, asked));
  const cases = [2, 3] as const;
  assert.deepEqual(await runCases({ ...COMMAND, url: server.url(), cases }, () => undefined), {
    run: 2,
    failures: [],
  });
  assert.equal(asked.length, 6);
  const beyond = [7, 9] as const;
  assert.equal((await runCases({ ...COMMAND, url: server.url(), cases: beyond }, () => undefined)).run, 0);
});

test("The driver fails if there is no fuzzing server", async () => {
  await using mute = await RawServer.start({}, async (peer) => {
    await peer.acceptUpgrade();
  });
  await assert.rejects(
    runCases({ ...COMMAND, caseTimeout: 300, url: mute.url() }, () => undefined),
    { name: "TooSlowError" },
  );
  const { port } = mute;
  await mute.close();
  await assert.rejects(
    runCases({ ...COMMAND, url: `ws://127.0.0.1:${port}` }, () => undefined),
    { name: "HandshakeError", failure: "refused" },
  );
});
