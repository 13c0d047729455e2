import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, NegotiationError } from "../../build/index.js";
import { RawServer } from "holdfast-testkit";
import { assertServes, attacker, echo, echoServer } from "./servers.js";
import { serve, type HandshakeRequest } from "../../build/index.js";

/** Property names that every object inherits. */
const NAMES = ["__proto__", "constructor", "hasOwnProperty", "prototype", "toString", "valueOf"];

test("H: names of an object's prototype are subprotocols like any other: spoken where both sides name them", async () => {
  await using server = await echoServer({ subprotocols: ["chat", ...NAMES] });
  await using stranger = await echoServer({ subprotocols: ["chat"] });
  for (const name of NAMES) {
    await using connection = await connect(server.url, { subprotocols: [name] });
    assert.equal(connection.subprotocol, name);
    assert.deepEqual(
      [...server.connections].map((accepted) => accepted.subprotocol),
      [name],
    );
    await using other = await connect(stranger.url, { subprotocols: [name] });
    assert.equal(other.subprotocol, null);
  }
});

test("H: a server that chooses such a name without its having been offered fails the handshake (RFC 6455 section 4.1)", async () => {
  for (const name of NAMES) {
    for (const header of ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"]) {
      await using server = await RawServer.start({}, async (peer) => {
        await peer.acceptUpgrade({ headers: { [header]: name } });
      });
      await assert.rejects(connect(server.url(), { subprotocols: ["chat"] }), NegotiationError);
    }
  }
});

test("H: an extension or a parameter of such a name is declined, and the connection works", async () => {
  await using server = await echoServer();
  for (const name of NAMES) {
    await using client = await attacker(server);
    const head = await client.upgrade({
      headers: { "Sec-WebSocket-Extensions": `${name}; ${name}; ${name}=${name}, x; ${name}="${name}"` },
    });
    assert.equal(head.header("Sec-WebSocket-Extensions"), null);
    client.sendText("hello");
    assert.equal(Buffer.from((await client.readFrame()).payload).toString(), "hello");
  }
  await assertServes(server);
});

test("H: such names come through as headers in both directions, and change no object", async () => {
  const requests: HandshakeRequest[] = [];
  await using server = await serve(
    (connection) => {
      requests.push(connection.request);
      return echo(connection);
    },
    { host: "127.0.0.1" },
  );
  // As `JSON.parse` creates them: with `__proto__` as an own property.
  const headers = JSON.parse(`{${NAMES.map((name) => `"${name}": "own ${name}"`).join()}}`) as Record<
    string,
    string
  >;
  await using connection = await connect(server.url, { headers });
  for (const seen of [connection.request, requests[0]]) {
    assert.deepEqual(
      NAMES.map((name) => seen?.headers.get(name)),
      NAMES.map((name) => `own ${name}`),
    );
  }

  const answer = Object.fromEntries(NAMES.map((name) => [name, `own ${name}`]));
  await using raw = await RawServer.start({}, async (peer) => {
    await peer.acceptUpgrade({ headers: answer });
  });
  const { response, ...other } = await connect(raw.url()).then((opened) => {
    opened.terminate();
    return { response: opened.response, inherited: ({} as Record<string, unknown>)["own __proto__"] };
  });
  assert.deepEqual(other, { inherited: undefined });
  assert.deepEqual(
    NAMES.map((name) => response.headers.get(name)),
    NAMES.map((name) => `own ${name}`),
  );
});
