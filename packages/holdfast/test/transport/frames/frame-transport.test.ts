import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { closePayload, FakeClock, FakeTransport, frame, OPCODE, SeededRandom } from "holdfast-testkit";
import { FrameRuntime } from "../../../build/transport/frames/frame-runtime.js";
import { overFrames } from "../../../build/transport/frames/frame-transport.js";
import type {
  MessageTransport,
  MessageTransportHandler,
} from "../../../build/connection/message-transport.js";
import type { Role } from "../../../build/shared/role.js";
import { describeFrame, parseFrames, ROLES } from "../../connection/harness.js";

/** A transport whose handler answers nothing by itself, and records its events. */
class Bench {
  readonly role: Role;
  readonly clock = new FakeClock();
  readonly transport = new FakeTransport({ clock: this.clock });
  readonly wire: MessageTransport;
  readonly told: unknown[] = [];

  /** @param react is called from within each message, and from within a failure */
  constructor(role: Role, react: (wire: MessageTransport) => void = () => undefined) {
    this.role = role;
    const handler: MessageTransportHandler = {
      frameObserver: null,
      hasBusyReader: false,
      onMessage: (message) => {
        this.told.push(typeof message === "string" ? message : [...message]);
        react(this.wire);
      },
      onPing: (payload) => this.told.push(["ping", ...payload]),
      onPong: (payload) => this.told.push(["pong", ...payload]),
      onClose: (close) => this.told.push(close),
      onFailure: ({ cause, close }) => {
        this.told.push([cause, close.code]);
        react(this.wire);
      },
      onDecodingBegun: () => this.told.push("held"),
      onDecodingEnded: () => this.told.push("released"),
      onPingSent: (key) => this.told.push(`ping ${key} sent`),
      onSendingFailed: (error) => this.told.push(error.message),
      onEof: () => this.told.push("eof"),
      onError: (cause) => this.told.push(cause),
      onClosed: () => this.told.push("closed"),
    };
    const makeWire = overFrames({
      runtime: new FrameRuntime(this.clock, new SeededRandom()),
      stream: this.transport,
      role,
      settings: { maxMessageSize: 1024, writeLimit: 1024 },
      extension: null,
      preface: null,
      rest: new Uint8Array(),
    });
    this.wire = makeWire(handler);
    this.wire.start();
  }

  /** The peer's frames arrive in one chunk. */
  deliver(...frames: readonly (readonly [opcode: number, payload: Uint8Array | string])[]): void {
    const isMasked = this.role === "server";
    const bytes = frames.map(([opcode, payload]) =>
      frame({ opcode, payload: Buffer.from(payload), mask: isMasked }),
    );
    this.transport.deliver(Buffer.concat(bytes));
  }

  sent(): readonly string[] {
    this.clock.turn();
    return parseFrames(this.transport.takeWritten()).map(describeFrame);
  }
}

describe("A transport over frames", () => {
  for (const role of ROLES) {
    test(`A4: a ${role}'s transport reports data at once, in the order of arrival, with the time of the bytes`, () => {
      const bench = new Bench(role);
      bench.clock.advance(5);
      bench.deliver(
        [OPCODE.text, "one"],
        [OPCODE.ping, "\x01"],
        [OPCODE.binary, "\x02"],
        [OPCODE.pong, "\x03"],
        [OPCODE.close, closePayload(1001, "bye")],
      );
      const expected = ["one", ["ping", 1], [2], ["pong", 3], { code: 1001, reason: "bye" }];
      assert.deepEqual([bench.told, bench.wire.lastReceivedAt], [expected, bench.clock.now()]);
    });
  }

  test("D5: a server's stream ends after its answer to the peer's Close, at any time (section 7.1.1)", () => {
    const bench = new Bench("server");
    bench.deliver([OPCODE.close, closePayload(1000)]);
    assert.deepEqual([bench.sent(), bench.transport.isEnded], [[], false]);
    void bench.wire.sendText("one more", { mayEncode: true, signal: null, receipt: null });
    bench.wire.queueClose({ code: 1000, reason: "" }, true);
    assert.deepEqual([bench.sent(), bench.transport.isEnded], [["TEXT one more", "CLOSE 1000"], true]);
  });

  test("D5: a client's stream stays open after its answer: the server ends it", () => {
    const bench = new Bench("client");
    bench.deliver([OPCODE.close, closePayload(1000)]);
    bench.wire.queueClose({ code: 1000, reason: "" }, true);
    assert.deepEqual([bench.sent(), bench.transport.isEnded], [["CLOSE 1000"], false]);
  });

  test("D5: a server that failed the connection ends its stream after the Close", () => {
    const bench = new Bench("server", (wire) => wire.queueClose({ code: 1002, reason: "" }, true));
    bench.transport.deliver(frame({ opcode: OPCODE.text, payload: "not masked" }));
    assert.deepEqual(bench.told, [["protocol-error", 1002]]);
    assert.deepEqual([bench.sent(), bench.transport.isEnded], [["CLOSE 1002"], true]);
  });

  test("D8: a destroyed transport still reports earlier data; an abandoned one reports no further message", () => {
    const read = (end: (wire: MessageTransport) => void): readonly unknown[] => {
      const bench = new Bench("client", end);
      bench.deliver([OPCODE.text, "one"], [OPCODE.text, "two"]);
      bench.clock.turn();
      return bench.told;
    };
    assert.deepEqual(
      read((wire) => wire.destroy()),
      ["one", "two", "closed"],
    );
    assert.deepEqual(
      read((wire) => wire.abandon()),
      ["one", "closed"],
    );
  });
});
