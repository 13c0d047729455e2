import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { activeResources, assertNothingLeft } from "../resources.js";
import { eventually } from "../waiting.js";
import { RawClient } from "../../../packages/holdfast/build/testing/raw/client.js";
import { frame, OPCODE } from "../../../packages/holdfast/build/testing/raw/frame.js";
import { RawServer, type RawServerOptions } from "../../../packages/holdfast/build/testing/raw/server.js";

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

/** Both ends of a connection, without a WebSocket handshake. */
async function connectedPair(options: RawServerOptions = {}) {
  const server = await RawServer.start(options);
  const client = await RawClient.connect({ port: server.port });
  const close = async () => {
    await client.close();
    await server.close();
  };
  return { server, client, peer: await server.nextPeer(), close };
}

describe("RawPeer", { timeout: 300_000 }, () => {
  test("upgrades in both roles and exchanges frames, masked by the client only", async () => {
    const before = activeResources();
    const requests: string[] = [];
    const server = await RawServer.start({}, async (peer) => {
      const glue = frame({ opcode: OPCODE.text, payload: "glued" });
      const request = await peer.acceptUpgrade({ headers: { "Sec-WebSocket-Protocol": "chat" }, glue });
      requests.push(request.startLine, request.header("origin") ?? "none");
      const question = await peer.readFrame();
      assert.equal(question.isMasked, true);
      peer.sendBinary(question.payload);
      peer.sendPing("p");
      assert.equal((await peer.readFrame()).opcode, OPCODE.pong);
      peer.sendClose(1000, "bye");
      peer.end();
    });
    const client = await RawClient.connect({ port: server.port });
    const response = await client.upgrade({ path: "/room?x=1", headers: { Origin: "https://example.com" } });
    assert.equal(response.header("sec-websocket-protocol"), "chat");
    assert.equal(latin1((await client.readFrame()).payload), "glued");
    client.sendText("é");
    const answer = { opcode: 2, isFinal: true, rsv: 0, isMasked: false, payload: Uint8Array.of(0xc3, 0xa9) };
    assert.deepEqual(await client.readFrame(), answer);
    assert.equal(latin1((await client.readFrame()).payload), "p");
    client.sendPong("p");
    assert.equal(latin1((await client.readFrame()).payload), "\x03\xe8bye");
    assert.equal(await client.ended, "fin");
    assert.deepEqual(requests, ["GET /room?x=1 HTTP/1.1", "https://example.com"]);
    await client.close();
    await server.close();
    await assertNothingLeft(before);
  });

  test("refuses an upgrade or accepts it wrongly, and a client's upgrade() says so", async () => {
    await using server = await RawServer.start({}, async (peer) => {
      const { startLine } = await peer.readHead();
      if (startLine.includes("/refused")) peer.respond(403, { headers: { "Retry-After": "3" }, body: "no" });
      else peer.respond(101, { headers: { "Sec-WebSocket-Accept": "wrong" } });
    });
    const attempt = async (path: string) => {
      await using client = await RawClient.connect({ port: server.port });
      await assert.rejects(
        client.upgrade({ path }),
        path === "/refused" ? /403 Forbidden/ : /key is wrong: wrong/,
      );
      return latin1(client.received);
    };
    await attempt("/wrong");
    assert.equal(
      await attempt("/refused"),
      "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\nRetry-After: 3\r\n\r\nno",
    );
  });

  test("reads by length, delimiter and to the end", async () => {
    const { client, peer, close } = await connectedPair();
    peer.write("abcdef\r\nrest");
    assert.equal(latin1(await client.read(3)), "abc");
    assert.equal(await client.readUntil("\r\n"), "def\r\n");
    peer.end();
    assert.equal(latin1(await client.readToEnd()), "rest");
    assert.equal(latin1(client.received), "abcdef\r\nrest");
    await close();
  });

  test("bounds every wait, with an error that says what was received instead", async () => {
    const { client, peer, close } = await connectedPair({ timeout: 20 });
    client.write("abc");
    await eventually(() => peer.receivedLength === 3, "the bytes to arrive");
    await assert.rejects(peer.read(10, { timeout: 30 }), /Waited 30 ms for 10 bytes; unread: "abc"/);
    await assert.rejects(peer.readHead(), /Waited 20 ms for "\\r\\n\\r\\n"; unread: "abc"/);
    client.end();
    await assert.rejects(peer.read(10), /connection ended \(fin\) before 10 bytes; unread: "abc"/);
    await close();
  });

  test("distinguishes FIN, RST and its own closing, and continues to write after the other side's FIN", async () => {
    const fin = await connectedPair();
    fin.client.end();
    assert.equal(await fin.peer.ended, "fin");
    fin.peer.write("still here");
    assert.equal(latin1(await fin.client.read(10)), "still here");
    await fin.close();
    const rst = await connectedPair();
    rst.client.reset();
    assert.equal(await rst.peer.ended, "rst");
    assert.equal(await rst.client.ended, "closed");
    await rst.close();
  });

  test("writes byte by byte, so that the reader gets one at a time", async () => {
    const { client, peer, close } = await connectedPair();
    const lengths: number[] = [];
    const reading = (async () => {
      while (client.receivedLength < 20) {
        await client.read(1);
        lengths.push(client.receivedLength);
      }
    })();
    await peer.writeBytewise("x".repeat(20));
    await reading;
    // Most bytes arrived before the next one was written: the kernel may join some.
    assert.ok(new Set(lengths).size >= 10, lengths.join());
    await close();
  });

  test("stops reading, so that the kernels fill up and the other side's writes wait", async () => {
    const { client, peer, close } = await connectedPair();
    peer.stopReading();
    const size = 32 * 1024 * 1024;
    client.write(new Uint8Array(size));
    await assert.rejects(client.flushed({ timeout: 100 }), /Waited 100 ms for the kernel/);
    peer.resumeReading();
    await client.flushed();
    await peer.read(size);
    await close();
  });
});

describe("RawServer", { timeout: 300_000 }, () => {
  test("close() rejects with what a script threw before, and the peer of that script is reset", async () => {
    const server = await RawServer.start({}, async (peer) => {
      await peer.read(1);
      throw new Error("a failed expectation");
    });
    const client = await RawClient.connect({ port: server.port });
    client.write("x");
    assert.equal(await client.ended, "rst");
    await assert.rejects(server.close(), /a failed expectation/);
    await client.close();
  });

  test("close() ends scripts that still wait, quietly, and leaves nothing behind", async () => {
    const before = activeResources();
    const server = await RawServer.start({}, async (peer) => {
      await peer.read(1, { timeout: 60_000 });
    });
    const client = await RawClient.connect({ port: server.port });
    await server.nextPeer();
    await Promise.all([server.close(), server.close()]);
    await client.ended;
    await client.close();
    await assertNothingLeft(before);
  });
});
