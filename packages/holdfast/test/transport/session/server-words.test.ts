// The words of a server, against a scripted client.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serve, type Connection, type ServeOptions, type Server } from "../../../build/index.js";
import { coreOf } from "../../../build/connection/core-of.js";
import type { ServerSessionTransport } from "../../../build/transport/session/server-session-transport.js";
import { eventually, OPCODE, RawClient } from "holdfast-testkit";
import { hear, hearWords, keepOpen, say, upgradeToSessions } from "./session-pair.js";

/** A server, and scripted clients for it. */
class Scene implements AsyncDisposable {
  readonly connections: Connection[] = [];
  readonly peers: RawClient[] = [];
  server!: Server;

  static async start(options: Partial<ServeOptions> = {}): Promise<Scene> {
    const scene = new Scene();
    scene.server = await serve(
      async (connection) => {
        scene.connections.push(connection);
        await keepOpen(connection);
      },
      { host: "127.0.0.1", sessions: true, pingInterval: null, ...options },
    );
    return scene;
  }

  async connect(subprotocol?: string): Promise<RawClient> {
    const peer = await RawClient.connect({ port: this.server.port });
    this.peers.push(peer);
    await upgradeToSessions(peer, subprotocol);
    return peer;
  }

  /** A client with a fresh session. */
  async open(): Promise<{ peer: RawClient; ticket: string[] }> {
    const peer = await this.connect();
    say(peer, "open");
    const [word, ...ticket] = await hearWords(peer);
    assert.equal(word, "session");
    assert.ok((await hear(peer)).startsWith("\u0016spread "));
    await eventually(() => this.connections.length > 0, "the handler");
    return { peer, ticket };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.connections) connection.terminate();
    for (const peer of this.peers) await peer.close();
    await this.server.close();
  }
}

describe("The words of a server", { timeout: 300_000 }, () => {
  test("L2: a quarter of the window is acknowledged at once, with one word; the rest after `ackDelay`", async () => {
    await using scene = await Scene.start();
    const { peer } = await scene.open();
    for (let count = 0; count < 1024 / 4 + 3; count++) peer.sendText("m");
    assert.equal(await hear(peer), `\u0016ack ${(256).toString(36)}`);
    assert.equal(await hear(peer), `\u0016ack ${(259).toString(36)}`);
  });

  test("L2: a quarter of the window's bytes is acknowledged at once", async () => {
    await using scene = await Scene.start();
    const { peer } = await scene.open();
    peer.write(
      Buffer.concat([
        peer.frame({ opcode: OPCODE.binary, payload: new Uint8Array(64 * 1024) }),
        peer.frame({ opcode: OPCODE.text, payload: "m" }),
      ]),
    );
    // After `ackDelay`, one word would confirm both.
    assert.equal(await hear(peer), "\u0016ack 1");
    assert.equal(await hear(peer), "\u0016ack 2");
  });

  test("L2: `want` gets an ack at once, even without news, and a ping carries one", async () => {
    await using scene = await Scene.start();
    const { peer } = await scene.open();
    peer.sendText("m");
    say(peer, "want");
    assert.equal(await hear(peer), "\u0016ack 1");
    say(peer, "want");
    assert.equal(await hear(peer), "\u0016ack 1");
    peer.sendText("m");
    await eventually(
      () =>
        scene.connections[0].session?.position === 0 && scene.connections[0].traffic.messagesReceived === 2,
      "the message",
    );
    void scene.connections[0].ping();
    const frames = [(await peer.readFrame()).opcode, (await peer.readFrame()).opcode];
    assert.deepEqual(frames.sort(), [1, 9]); // The ack and the ping.
  });

  test("L2: no message of the application gets a byte more than without a session", async () => {
    await using scene = await Scene.start();
    const { peer } = await scene.open();
    const before = peer.receivedLength;
    await scene.connections[0].send("hello");
    scene.server.broadcast("hello");
    assert.deepEqual([await hear(peer), await hear(peer)], ["hello", "hello"]);
    assert.equal(peer.receivedLength - before, 2 * (2 + 5));
  });

  test("L1: a resumption answers RECEIVED, says how much follows, and replays it in order before new messages", async () => {
    await using scene = await Scene.start();
    const { peer, ticket } = await scene.open();
    const [connection] = scene.connections;
    peer.sendText("c1");
    await connection.send("s1");
    await connection.send("s2");
    assert.deepEqual([await hear(peer), await hear(peer)], ["s1", "s2"]);
    await eventually(() => connection.traffic.messagesReceived === 1, "c1");
    peer.reset();
    await eventually(() => connection.session?.isAttached === false, "the end of the socket");
    await connection.send("s3");
    const later = await scene.connect();
    say(later, `resume ${ticket[0]} ${ticket[1]} 1 1`);
    const heard = [];
    while (heard.length < 5) heard.push(await hear(later));
    assert.deepEqual(
      heard.filter((text) => !text.startsWith("\u0016spread")),
      ["\u0016resumed 1", "\u0016replay 2", "s2", "s3"],
    );
    await connection.send("s4");
    assert.equal(await hear(later), "s4");
    assert.equal(scene.connections.length, 1);
  });

  test("L1: a socket that is cut amid a replay is resumed from the new RECEIVED", async () => {
    await using scene = await Scene.start({ writeLimit: 1024 });
    const { peer, ticket } = await scene.open();
    const [connection] = scene.connections;
    peer.reset();
    await eventually(() => connection.session?.isAttached === false, "the end of the socket");
    const texts = Array.from({ length: 8 }, (_, index) => String(index).repeat(20_000));
    for (const text of texts) await connection.send(text);
    const second = await scene.connect();
    say(second, `resume ${ticket[0]} ${ticket[1]} 0 1`);
    const replayed: string[] = [];
    while (replayed.length < 2) {
      const text = await hear(second);
      if (!text.startsWith("\u0016")) replayed.push(text);
    }
    second.reset();
    const third = await scene.connect();
    say(third, `resume ${ticket[0]} ${ticket[1]} 2 1`);
    await connection.send("new");
    while (replayed.length < 9) {
      const text = await hear(third);
      if (!text.startsWith("\u0016")) replayed.push(text);
    }
    assert.deepEqual(replayed, [...texts, "new"]);
  });

  test("L1: a message that is sent while a replay waits for room follows the replay", async () => {
    const later = Array.from({ length: 30 }, (_, index) => `new ${index}`);
    let isResuming = false;
    await using scene = await Scene.start({
      writeLimit: 1024,
      sessions: {
        owner: () => {
          if (isResuming) void sendInThisTurn();
          return null;
        },
      },
    });
    /** The first ones are sent before the session is attached, the others before the end of the turn writes the replay. */
    const sendInThisTurn = async (): Promise<void> => {
      for (const text of later) {
        void scene.connections[0].send(text);
        await Promise.resolve();
      }
    };
    const { peer, ticket } = await scene.open();
    peer.reset();
    await eventually(() => scene.connections[0].session?.isAttached === false, "the end of the socket");
    const texts = Array.from({ length: 4 }, (_, index) => String(index).repeat(20_000));
    for (const text of texts) await scene.connections[0].send(text);
    isResuming = true;
    const second = await scene.connect();
    say(second, `resume ${ticket[0]} ${ticket[1]} 0 1`);
    const heard: string[] = [];
    while (heard.length < texts.length + later.length) {
      const text = await hear(second);
      if (!text.startsWith("\u0016")) heard.push(text);
    }
    assert.deepEqual(heard, [...texts, ...later]);
  });

  test("L4: a resume fences the earlier socket, which hears `moved` and Close 1008, and whose messages do not count", async () => {
    await using scene = await Scene.start();
    const { peer, ticket } = await scene.open();
    const [connection] = scene.connections;
    const later = await scene.connect();
    say(later, `resume ${ticket[0]} ${ticket[1]} 0 1`);
    assert.equal(await hear(later), "\u0016resumed 0");
    peer.sendText("too late");
    assert.deepEqual([await hear(peer), await hear(peer)], ["\u0016moved", "Close 1008 moved"]);
    later.sendText("in time");
    assert.equal(await connection.recv(), "in time");
    assert.equal(connection.session?.position, 1);
  });

  test("L5: a forged ack, and a word that is out of place, fail the socket with 1002 and end the session", async () => {
    for (const word of [
      "ack 1",
      "open",
      "session aaaaaaaaaaaa AAAAAAAAAAAAAAAAAAAAAA 1 1",
      "resumed 0",
      "skip 0",
    ]) {
      await using scene = await Scene.start();
      const { peer } = await scene.open();
      say(peer, word);
      assert.match(await hear(peer), /^Close 1002 /, word);
    }
  });

  test("L4: a Close without a mask, which proxies write, fails the socket with 1002, and the session can be resumed", async () => {
    await using scene = await Scene.start();
    const { peer, ticket } = await scene.open();
    peer.sendText("one");
    assert.equal(await scene.connections[0].recv(), "one");
    peer.write(Uint8Array.from([0x88, 2, 0x03, 0xe9]));
    for (let heard = ""; !heard.startsWith("Close 1002 "); heard = await hear(peer));
    await peer.close();
    await eventually(() => scene.connections[0].session?.isAttached !== true, "the end of the socket");
    const later = await scene.connect();
    say(later, `resume ${ticket[0]} ${ticket[1]} 0 2`);
    assert.equal(await hear(later), "\u0016resumed 1");
  });

  test("L5: nothing but `open` or `resume` may come first, and no handler is called before it", async () => {
    await using scene = await Scene.start();
    const words = ["want", "ack 0", "ping 00", "pong 00", "spread 5", "laterword x"].map(
      (word) => `\u0016${word}`,
    );
    for (const first of ["data", ...words]) {
      const peer = await scene.connect();
      peer.sendText(first);
      assert.match(await hear(peer), /^Close 1002 /, first);
    }
    assert.equal(scene.connections.length, 0);
  });

  test("L5: a ping behind `open` is answered after `session`", async () => {
    const answers: ((owner: null) => void)[] = [];
    await using scene = await Scene.start({
      sessions: { owner: async () => new Promise<null>((resolve) => answers.push(resolve)) },
    });
    const peer = await scene.connect();
    say(peer, "open");
    say(peer, "ping 00");
    peer.sendPing("x");
    await eventually(() => answers.length === 1, "the question");
    await new Promise((resolve) => setTimeout(resolve, 20)); // Time in which it could answer too early.
    answers[0](null);
    assert.equal((await hearWords(peer))[0], "session");
    for (let heard = ""; heard !== "\u0016pong 00"; heard = await hear(peer));
  });

  test("L5: a message beyond the last position fails the socket with 1002, whole or in pieces, and is not delivered", async () => {
    for (const acknowledge of ["received", "handled"] as const) {
      await using scene = await Scene.start({ sessions: { acknowledge } });
      const { peer } = await scene.open();
      say(peer, `skip ${(Number.MAX_SAFE_INTEGER - 1).toString(36)}`);
      peer.sendText("the last");
      peer.sendText("beyond");
      for (let heard = ""; !heard.startsWith("Close 1002 "); heard = await hear(peer))
        assert.notEqual(heard, `\u0016ack ${(2 ** 53).toString(36)}`);
      const [connection] = scene.connections;
      assert.equal(await connection.recv(), "the last");
      peer.end();
      const { error } = await connection.closed;
      assert.match(error?.message ?? "", /Expected positions to stay below 2\^53, got one more message\./);
    }
    await using scene = await Scene.start();
    const { peer } = await scene.open();
    const reading = scene.connections[0].recvStream().next();
    say(peer, `skip ${Number.MAX_SAFE_INTEGER.toString(36)}`);
    peer.sendText("beyond");
    reading.catch(() => undefined);
    for (let heard = ""; !heard.startsWith("Close 1002 "); heard = await hear(peer));
  });

  test("L8: a session goes on with another subprotocol of a socket, and its connection keeps the first one", async () => {
    await using scene = await Scene.start({ subprotocols: ["a", "b"] });
    const peer = await scene.connect("holdfast.v2+a");
    say(peer, "open");
    const [, id, secret] = await hearWords(peer);
    await eventually(() => scene.connections.length === 1, "the handler");
    const [connection] = scene.connections;
    const other = await scene.connect("holdfast.v2+b");
    say(other, `resume ${id} ${secret} 0 1`);
    assert.equal(await hear(other), "\u0016resumed 0");
    assert.equal(scene.connections.length, 1);
    assert.equal(connection.subprotocol, "a");
  });

  test("L5: the owner is asked before a session is resumed; data behind `resume` waits for the answer", async () => {
    const questions: ((owner: string) => void)[] = [];
    await using scene = await Scene.start({
      sessions: { owner: async () => new Promise<string>((resolve) => questions.push(resolve)) },
    });
    const peer = await scene.connect();
    say(peer, "open");
    await eventually(() => questions.length === 1, "the question");
    questions[0]("alice");
    const [, id, secret] = await hearWords(peer);
    await eventually(() => scene.connections.length === 1, "the handler");
    const [connection] = scene.connections;
    const thief = await scene.connect();
    say(thief, `resume ${id} ${secret} 0 1`);
    thief.sendText("stolen");
    await eventually(() => questions.length === 2, "the question");
    // The session is untouched while the owner is unknown.
    peer.sendText("mine");
    assert.equal(await connection.recv(), "mine");
    questions[1]("mallory");
    const words = await hearWords(thief);
    assert.deepEqual(words.slice(0, 2), ["lost", "forbidden"]);
    await eventually(() => scene.connections.length === 2, "a session of their own");
    assert.equal(await scene.connections[1].recv(), "stolen");
    peer.sendText("still mine");
    assert.equal(await connection.recv(), "still mine");
  });

  test("L3: `end` is answered with a last ack, and the session's connection ends well", async () => {
    await using scene = await Scene.start();
    const { peer } = await scene.open();
    const [connection] = scene.connections;
    peer.sendText("m");
    say(peer, "end");
    peer.sendClose(1000);
    assert.equal(await hear(peer), "\u0016ack 1");
    assert.equal(await connection.recv(), "m");
    const { ok, code } = await connection.closed;
    assert.deepEqual([ok, code], [true, 1000]);
  });

  test("L3: a message in fragments that is cut breaks its reader, and the next message is read", async () => {
    await using scene = await Scene.start();
    const { peer, ticket } = await scene.open();
    const [connection] = scene.connections;
    const pieces = connection.recvStream();
    const first = pieces.next();
    peer.sendFrame({ opcode: 1, isFinal: false, payload: Buffer.from("begun") });
    assert.deepEqual(await first, { value: "begun", done: false });
    const second = pieces.next();
    peer.reset();
    const later = await scene.connect();
    say(later, `resume ${ticket[0]} ${ticket[1]} 0 1`);
    say(later, "skip 1");
    later.sendText("other text");
    await assert.rejects(second, { name: "HoldfastError", message: /its sender streamed it/ });
    assert.equal(await connection.recv(), "other text");
    assert.equal(connection.session?.position, 2);
  });

  for (const form of ["in pieces", "whole"] as const) {
    test(`L1: a message that is read in pieces across a cut has each of them once, sent again ${form}`, async () => {
      await using scene = await Scene.start();
      const { peer, ticket } = await scene.open();
      const [connection] = scene.connections;
      const read: unknown[] = [];
      const reading = (async () => {
        for await (const piece of connection.recvStream()) read.push(piece);
      })();
      peer.sendFrame({ opcode: 1, isFinal: false, payload: Buffer.from("one two ") });
      await eventually(() => read.length === 1, "the first piece");
      peer.reset();
      const later = await scene.connect();
      say(later, `resume ${ticket[0]} ${ticket[1]} 0 1`);
      if (form === "whole") later.sendText("one two three");
      else {
        later.sendFrame({ opcode: 1, isFinal: false, payload: Buffer.from("one ") });
        later.sendFrame({ opcode: 0, isFinal: false, payload: Buffer.from("two th") });
        later.sendFrame({ opcode: 0, payload: Buffer.from("ree") });
      }
      await reading;
      assert.equal(read.join(""), "one two three");
      later.sendText("next");
      assert.equal(await connection.recv(), "next");
      assert.equal(connection.session?.position, 2);
    });
  }

  test("L2, E4: a slow reader makes the peer wait while its session closes, so that memory stays bounded", async () => {
    await using scene = await Scene.start({ maxQueue: { bytes: 256 * 1024 } });
    const { peer } = await scene.open();
    const [connection] = scene.connections;
    void connection.forEach(() => new Promise(() => undefined));
    peer.sendText("m");
    void connection.close();
    while (!(await hear(peer)).startsWith("Close"));
    const piece = peer.frame({ opcode: OPCODE.binary, payload: new Uint8Array(64 * 1024) });
    peer.write(Buffer.concat(Array.from({ length: 128 }, () => piece)));
    const core = coreOf(connection);
    const socket = (core.transport as ServerSessionTransport).newest;
    const isSettled = (): boolean => socket.pauseReasons.length > 0 || core.inbox.bytes > 4 * 1024 * 1024;
    await eventually(isSettled, "a pause");
    assert.deepEqual(socket.pauseReasons, ["inbox"]);
    assert.ok(core.inbox.bytes < 1024 * 1024, `${core.inbox.bytes} bytes unread`);
  });
});
