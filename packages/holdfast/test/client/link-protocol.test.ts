import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import {
  connect,
  connectPersistent,
  NegotiationError,
  serve,
  type ConnectOptions,
  type ServeOptions,
} from "../../build/index.js";
import { checkPersistentOptions } from "../../build/reconnect/persistent/persistent-options.js";
import { coreOf } from "../../build/connection/core-of.js";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The offers of a client, the agreement with the server, and whether a marked message arrives unchanged. */
async function agree(ofServer: ServeOptions, ofClient: ConnectOptions): Promise<unknown> {
  const server = await serve(async (connection) => {
    await connection.forEach((message) => connection.send(message));
  }, ofServer);
  cleanups.push(() => server.close());
  const connection = await connect(server.url, ofClient);
  cleanups.push(() => connection.terminate());
  await connection.send("\u0016ping 00");
  assert.equal(await connection.recv(), "\u0016ping 00");
  assert.ok((await connection.ping()) >= 0);
  return {
    offer: connection.request.headers.get("Sec-WebSocket-Protocol"),
    subprotocol: connection.subprotocol,
    isLink: coreOf(connection).link !== null,
  };
}

describe("The link protocol of clients in Node.js", () => {
  test("M7: is not offered by default, and is where the application asks for it, with subprotocols or without", async () => {
    assert.deepEqual(await agree({}, {}), { offer: null, subprotocol: null, isLink: false });
    assert.deepEqual(await agree({}, { linkProtocol: true }), {
      offer: "holdfast.plain, holdfast.v1",
      subprotocol: null,
      isLink: true,
    });
    assert.deepEqual(await agree({ subprotocols: ["b"] }, { linkProtocol: true, subprotocols: ["a", "b"] }), {
      offer: "a, b, holdfast.v1+a, holdfast.v1+b",
      subprotocol: "b",
      isLink: true,
    });
    assert.deepEqual(await agree({}, { linkProtocol: "required" }), {
      offer: "holdfast.v1",
      subprotocol: null,
      isLink: true,
    });
  });

  test("M7: with a server that does not speak it, the connection is plain, or fails where it is required", async () => {
    assert.deepEqual(await agree({ linkProtocol: false }, { linkProtocol: true }), {
      offer: "holdfast.plain, holdfast.v1",
      subprotocol: null,
      isLink: false,
    });
    await assert.rejects(agree({ linkProtocol: false }, { linkProtocol: "required" }), (error: unknown) => {
      assert.ok(error instanceof NegotiationError);
      assert.equal(
        error.message,
        'Expected the server to speak the link protocol (linkProtocol: "required"), got a server that does not. Connect to a Holdfast server, or set `linkProtocol: true`.',
      );
      return true;
    });
    await assert.rejects(
      agree({ subprotocols: ["b"] }, { linkProtocol: true, subprotocols: ["a"], requireSubprotocol: true }),
      NegotiationError,
    );
  });

  test("L1, M7: a session needs it: options that turn it off are rejected beside `session`", () => {
    const url = "ws://127.0.0.1:9/";
    for (const session of [true, { ackDelay: 10 }]) {
      assert.throws(() => connectPersistent(url, { session, linkProtocol: false }), {
        name: "InvalidArgumentError",
        message:
          "Expected `linkProtocol` to be true, since `session` uses the link protocol, got false (boolean).",
      });
      // An option of pages.
      assert.throws(() => checkPersistentOptions({ session, heartbeat: {} }), {
        name: "InvalidArgumentError",
        message:
          "Expected `heartbeat` to be no value, since `session` uses the link protocol, got an object.",
      });
    }
    for (const linkProtocol of [true, "required"] as const)
      connectPersistent(url, { session: true, linkProtocol, logger: null }).terminate();
    for (const session of [false, null, undefined])
      connectPersistent(url, { session, linkProtocol: false, logger: null }).terminate();
  });
});
