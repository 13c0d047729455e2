import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OPCODE } from "holdfast-testkit";
import type { Logger } from "../../../build/connection/ports.js";
import type { CloseInfo } from "../../../build/connection/close-info.js";
import { Harness, ROLES, type Setup } from "../harness.js";

interface Line {
  readonly level: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A connection with a logger that records everything, or everything from `info` on. */
class LoggedHarness extends Harness {
  readonly lines: readonly Line[];

  constructor(setup: Setup = {}, { debug = true }: { debug?: boolean } = {}) {
    const lines: Line[] = [];
    const level =
      (name: string) =>
      (message: string, details: object = {}) =>
        void lines.push({ level: name, message, details: { ...details } });
    const logger: Logger = {
      debug: level("debug"),
      info: level("info"),
      warn: level("warn"),
      error: level("error"),
      isLevelEnabled: () => debug,
    };
    super({ ...setup, logger });
    this.lines = lines;
  }

  /** Debug lines unchanged, and others prefixed with their level. */
  get texts(): readonly string[] {
    return this.lines.map(({ level, message }) => (level === "debug" ? message : `${level} ${message}`));
  }
}

const OPEN: Readonly<Record<"client" | "server", readonly string[]>> = {
  client: ["> GET / HTTP/1.1", "< HTTP/1.1 101 Switching Protocols", "info connection open"],
  server: ["< GET / HTTP/1.1", "> HTTP/1.1 101 Switching Protocols", "info connection open"],
};

function peerCloses(harness: Harness, code: number): void {
  harness.deliver(harness.close(code));
  harness.clock.turn();
  harness.transport.eof();
}

async function converse(harness: Harness): Promise<CloseInfo> {
  const { connection, clock } = harness;
  void connection.send("Hello");
  void connection.send(Uint8Array.of(1, 2, 255));
  clock.turn();
  harness.deliver(
    harness.frame({ opcode: OPCODE.text, payload: "Hel", isFinal: false }),
    harness.ping("now?"),
    harness.frame({ opcode: OPCODE.continuation, payload: "lo\n" }),
  );
  await connection.recv();
  const ping = connection.ping("there?");
  clock.turn();
  clock.advance(12.34);
  harness.deliver(harness.pong("there?"));
  assert.equal(await ping, 12.34);
  harness.deliver(harness.pong("unasked"));
  void connection.close(1000, "bye");
  clock.turn();
  harness.deliver(harness.close(1000, "bye"));
  harness.transport.eof();
  return harness.end();
}

const CONVERSATION = [
  "> TEXT 'Hello' [5 bytes]",
  "> BINARY 01 02 ff [3 bytes]",
  "< TEXT 'Hel' [3 bytes, continued]",
  "< PING 'now?' [text, 4 bytes]",
  String.raw`< CONTINUATION 'lo\u000a' [text, 3 bytes]`,
  "> PONG 'now?' [text, 4 bytes]",
  "> PING 'there?' [text, 6 bytes]",
  "< PONG 'there?' [text, 6 bytes]",
  "% pong after 12.3 ms",
  "< PONG 'unasked' [text, 7 bytes]",
  "% pong that answers no ping in flight",
  "= closing: local-close",
  "> CLOSE 1000 (OK) bye [5 bytes]",
  "< CLOSE 1000 (OK) bye [5 bytes]",
  "info connection closed",
];

describe("The log of a connection", () => {
  for (const role of ROLES) {
    test(`J1: a conversation, line by line, as a ${role}`, async () => {
      const harness = new LoggedHarness({ role });
      await converse(harness);
      assert.deepEqual(harness.texts, [...OPEN[role], ...CONVERSATION]);
    });

    test(`J1: the line for a ${role}'s closed connection has id, code, side, cause and duration`, async () => {
      const harness = new LoggedHarness({ role });
      const { evidence } = await converse(harness);
      const { id } = harness.connection;
      for (const { details } of harness.lines) assert.deepEqual([details["id"], details["side"]], [id, role]);
      assert.deepEqual(harness.lines.at(-1), {
        level: "info",
        message: "connection closed",
        details: {
          id,
          side: role,
          code: 1000,
          cause: "local-close",
          initiator: "local",
          duration: 12.3,
          message: "sent 1000 (OK) bye; then received 1000 (OK) bye",
          reason: "bye",
          latency: 12.3,
          messagesReceived: 1,
          messagesSent: 2,
          bytesReceived: evidence.bytesReceived,
          bytesSent: evidence.bytesSent,
        },
      });
    });

    test(`J1: a ${role} whose logger disables debug lines creates none, and inspects no frame`, async () => {
      const harness = new LoggedHarness({ role }, { debug: false });
      await converse(harness);
      assert.deepEqual(harness.texts, ["info connection open", "info connection closed"]);
    });
  }

  test("J1: the line for the opening has the URL, the addresses and the negotiated parameters", () => {
    const harness = new LoggedHarness();
    assert.deepEqual(harness.lines.find(({ level }) => level === "info")?.details, {
      id: harness.connection.id,
      side: "client",
      url: "ws://example.com/",
      remoteAddress: { address: "127.0.0.1", port: 80 },
      subprotocol: null,
      extensions: [],
    });
  });

  test("J1: a mute peer, from the first ping to the verdict", async () => {
    const harness = new LoggedHarness({ pingInterval: 4000, pingTimeout: 4000 });
    harness.clock.advance(0);
    harness.clock.advance(4000);
    const info = await harness.end();
    const ping = harness.lines.find(({ message }) => message.startsWith("> PING"))?.message;
    assert.match(String(ping), /^> PING( [\da-f]{2}){8} \[binary, 8 bytes\]$/);
    assert.deepEqual(harness.texts.slice(3), [
      ping,
      "% pong overdue: none after 1000 ms, where 1000 ms is plenty",
      "> CLOSE 1011 (internal error) keepalive ping timeout [24 bytes]",
      "- heartbeat-timeout",
      "warn connection closed",
    ]);
    const { cause, code, message } = harness.lines.at(-1)?.details ?? {};
    assert.deepEqual({ cause, code, message }, { cause: info.cause, code: 1006, message: info.message });
  });

  test("J1: a gap in which the process did not run", () => {
    const harness = new LoggedHarness({ pingInterval: 20_000 });
    harness.answerPing();
    harness.clock.advance(10_000);
    harness.clock.stall(60_000);
    harness.clock.advance(0);
    assert.deepEqual(
      harness.texts.filter((line) => line.startsWith("% this")),
      ["% this process did not run for 50000 ms; this does not count against the peer"],
    );
  });

  test("J1: reading that pauses and resumes", async () => {
    const harness = new LoggedHarness({ maxQueue: 2 });
    harness.deliver(harness.text("one"), harness.text("two"), harness.text("three"));
    harness.clock.advance(250);
    for (let count = 0; count < 3; count++) await harness.connection.recv();
    assert.deepEqual(
      harness.texts.filter((line) => line.startsWith("= ")),
      ["= reading pauses: 3 messages of 11 bytes wait to be read", "= reading resumes after 250 ms"],
    );
  });

  test("J1: a protocol violation, with its frame and the error", async () => {
    const harness = new LoggedHarness();
    harness.deliver(harness.frame({ opcode: 3, payload: "?" }));
    harness.transport.eof();
    await harness.end();
    const reason = "Expected a known opcode, got 0x3";
    assert.deepEqual(harness.texts.slice(3), [
      "< OPCODE 0x3 3f [1 byte]",
      `! protocol-error: ${reason}.`,
      `> CLOSE 1002 (protocol error) ${reason} [34 bytes]`,
      "warn connection closed",
    ]);
    const { error } = harness.lines.at(-1)?.details ?? {};
    assert.equal((error as Error).message, `${reason}.`);
  });

  test("J1: a Close that is not answered within closeTimeout", async () => {
    const harness = new LoggedHarness({ closeTimeout: 3000 });
    void harness.connection.close();
    harness.clock.advance(0);
    harness.clock.advance(3000);
    await harness.end();
    assert.deepEqual(harness.texts.slice(3), [
      "= closing: local-close",
      "> CLOSE 1000 (OK) [2 bytes]",
      "- close-timeout",
      "warn connection closed",
    ]);
  });

  test("J1: only an end that the application did not cause and the sides did not agree on is a warning", async () => {
    const levelOf = async (end: (harness: Harness) => void) => {
      const harness = new LoggedHarness();
      end(harness);
      await harness.end();
      const { level, details } = harness.lines.at(-1) ?? {};
      return [details?.["cause"], level];
    };
    assert.deepEqual(
      await Promise.all([
        levelOf(({ connection }) => connection.terminate()),
        levelOf((harness) => peerCloses(harness, 1001)),
        levelOf((harness) => peerCloses(harness, 1011)),
        levelOf(({ transport }) => transport.eof()),
        levelOf(({ transport }) => transport.fail("ECONNRESET")),
      ]),
      [
        ["aborted", "info"],
        ["peer-close", "info"],
        ["peer-close", "warn"],
        ["eof", "warn"],
        ["reset", "warn"],
      ],
    );
  });

  test("J1: secrets of the handshake are hidden, and no part of it can start a new line", async () => {
    const { requestLines, responseLines } = await import("../../../build/connection/log/handshake-lines.js");
    const headers = new Headers({
      Authorization: "Bearer s3cret",
      Cookie: "session=s3cret",
      Host: "example.com",
      "Proxy-Authorization": "Basic s3cret",
      "X-Odd": "caf\u00e9 \u0085",
    });
    headers.append("Set-Cookie", "a=s3cret");
    headers.append("Set-Cookie", "b=s3cret");
    assert.deepEqual(requestLines({ method: "GET", target: "/chat?room=1", headers }), [
      "GET /chat?… HTTP/1.1",
      "authorization: [hidden]",
      "cookie: [hidden]",
      "host: example.com",
      "proxy-authorization: [hidden]",
      "set-cookie: [hidden]",
      "set-cookie: [hidden]",
      String.raw`x-odd: café \u0085`,
    ]);
    assert.equal(responseLines({ status: 403, headers })[0], "HTTP/1.1 403");
  });
});
