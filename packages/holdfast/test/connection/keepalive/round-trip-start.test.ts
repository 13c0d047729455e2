import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, FakeTransport, frame, OPCODE, parseFrame, SeededRandom } from "holdfast-testkit";
import { FrameRuntime } from "../../../build/transport/frames/frame-runtime.js";
import { overFrames } from "../../../build/transport/frames/frame-transport.js";
import { createConnection } from "../../../build/connection/connection.js";
import { coreOf } from "../../../build/connection/core-of.js";
import { heartbeatKeepalive } from "../../../build/connection/keepalive/heartbeat-keepalive.js";
import { checkConnectionOptions } from "../../../build/connection/options.js";

/** A socket with a slow write: the kernel runs another thread first. */
class SlowTransport extends FakeTransport {
  readonly #onWrite: () => void;

  constructor(clock: FakeClock, onWrite: () => void) {
    super({ clock });
    this.#onWrite = onWrite;
  }

  override write(chunks: readonly Uint8Array[]): boolean {
    const isTaken = super.write(chunks);
    this.#onWrite();
    return isTaken;
  }
}

test("C3: the round trip begins when the ping is written, not when the write returns", () => {
  const clock = new FakeClock();
  const transport = new SlowTransport(clock, () => clock.stall(7));
  const runtime = new FrameRuntime(clock, new SeededRandom());
  const settings = checkConnectionOptions({});
  const wire = overFrames({
    runtime,
    stream: transport,
    role: "client",
    settings,
    extension: null,
    preface: null,
    rest: new Uint8Array(),
  });
  const headers = new Headers();
  const connection = createConnection({
    keepalive: heartbeatKeepalive,
    runtime,
    transport: wire,
    settings,
    handshake: {
      url: "ws://example.com/",
      request: { method: "GET", target: "/", headers },
      response: { status: 101, headers },
      subprotocol: null,
      extensions: [],
    },
    owner: null,
  });
  coreOf(connection).start();
  clock.advance(0);
  const payload = parseFrame(transport.written)?.value.payload ?? "";
  clock.advance(13);
  transport.deliver(frame({ opcode: OPCODE.pong, payload }));
  assert.equal(connection.latency, 7 + 13);
});
