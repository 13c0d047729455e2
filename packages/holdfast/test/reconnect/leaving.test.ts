// A6, on real sockets: leaving the loop at any type of event leaves no socket and no timer.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Client, persist, type ClientEvent, type ClientEventType, type ClientOptions } from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  RawServer,
  withTimeout,
  type RawScript,
  type ResourceCounts,
} from "holdfast-testkit";
import { unusedPort } from "./unused-port.js";

interface Scene {
  readonly type: ClientEventType;
  /** The script of the server; null for no server. */
  readonly script: RawScript | null;
  readonly options?: ClientOptions;
  readonly onEvent?: (event: ClientEvent, client: Client) => void;
}

/** A client that has left the loop sends no request, which ends the script. */
const accept: RawScript = (peer) => Promise.race([peer.acceptUpgrade(), peer.ended]).then(() => undefined);
const acceptThen =
  (then: (peer: Parameters<RawScript>[0]) => void): RawScript =>
  async (peer) => {
    await peer.acceptUpgrade();
    then(peer);
  };

const SCENES: readonly Scene[] = [
  { type: "connecting", script: accept },
  { type: "connectFail", script: null },
  { type: "connected", script: accept },
  {
    type: "rejected",
    script: async (peer) => {
      await peer.readHead();
      peer.respond(503);
    },
  },
  { type: "ready", script: accept },
  { type: "poll", script: accept },
  { type: "text", script: acceptThen((peer) => peer.sendText("x")) },
  { type: "binary", script: acceptThen((peer) => peer.sendBinary("x")) },
  { type: "ping", script: acceptThen((peer) => peer.sendPing("x")) },
  { type: "pong", script: acceptThen((peer) => peer.sendPong("x")) },
  {
    type: "suspended",
    script: accept,
    options: { pingInterval: 50, pingTimeout: 1000 },
    // Blocks the event loop for longer than the heartbeat tolerates as a late timer.
    onEvent: (event) => {
      if (event.type === "poll") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
    },
  },
  { type: "closing", script: acceptThen((peer) => peer.sendClose(1000)) },
  { type: "closed", script: acceptThen((peer) => peer.sendClose(1000)) },
  { type: "unresponsive", script: accept, options: { pingInterval: 20, pingTimeout: 40 } },
  { type: "protocolError", script: acceptThen((peer) => peer.sendFrame({ opcode: 3, payload: "" })) },
  { type: "disconnected", script: acceptThen((peer) => peer.end()) },
  { type: "backOff", script: acceptThen((peer) => peer.end()) },
];

class Leaving extends Error {
  readonly types: readonly string[];

  constructor(types: readonly string[]) {
    super("left by throwing");
    this.types = types;
  }
}

/** Runs a loop that leaves at this type of event, in one of three ways; returns the types seen. */
async function leave(
  client: Client,
  scene: Scene,
  way: "break" | "return" | "throw",
): Promise<readonly string[]> {
  const types: string[] = [];
  for await (const event of persist(client, { firstDelay: 60_000, minDelay: 30_000 })) {
    types.push(event.type);
    scene.onEvent?.(event, client);
    if (event.type !== scene.type) continue;
    if (way === "break") break;
    if (way === "return") return types;
    throw new Leaving(types);
  }
  return types;
}

describe("Leaving the loop over a client", () => {
  let resources: ResourceCounts;

  beforeEach(() => {
    resources = activeResources();
  });

  for (const scene of SCENES) {
    for (const way of ["break", "throw", "return"] as const) {
      test(`A6: by ${way} at ${scene.type} leaves no socket and no timer`, async () => {
        const server = scene.script === null ? null : await RawServer.start({}, scene.script);
        try {
          const url = server?.url() ?? `ws://127.0.0.1:${await unusedPort()}/`;
          const client = new Client(url, { pollInterval: 10_000, ...scene.options });
          const left = leave(client, scene, way).catch((error: unknown) => {
            if (error instanceof Leaving) return error.types;
            throw error;
          });
          const types = await withTimeout(left, 30_000, `the event ${scene.type}`);
          assert.equal(types.at(-1), scene.type);
          assert.equal(client.state, "closed");
          // The client's socket is closed, while the server keeps its end open.
          for (const { ended } of server?.peers ?? [])
            await withTimeout(ended, 30_000, "the end of the socket");
        } finally {
          await server?.close();
        }
      });
    }
  }

  afterEach(async () => {
    await assertNothingLeft(resources);
  });
});
