import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { OPCODE, type FrameOptions } from "holdfast-testkit";
import { cutAt, Endpoint, framesTo, ROLES } from "../endpoint.js";
import { binary, close, failure, ping, pong, text, type Told } from "../recorder.js";

/** An end that every message pauses, as if its inbox had no room. */
class OneByOne {
  readonly #told: Told[] = [];
  readonly endpoint: Endpoint;

  constructor(role: (typeof ROLES)[number], isMessageTooMany: () => boolean = () => true) {
    const pause = (): void => {
      if (isMessageTooMany()) this.endpoint.protocol.pause();
    };
    const tell = (told: Told): void => {
      this.#told.push(told);
      pause();
    };
    this.endpoint = new Endpoint(
      role,
      {},
      {
        onMessage: (message) => tell(typeof message === "string" ? text(message) : binary(message)),
        onPing: (payload) => void this.#told.push(ping(payload)),
        onPong: (payload) => void this.#told.push(pong(payload)),
        onClose: ({ code }) => void this.#told.push(close(code)),
        onFailure: (error) => void this.#told.push({ type: "failure", failure: error }),
      },
    );
  }

  /** The events since the last call. */
  take(): Told[] {
    return this.#told.splice(0);
  }

  receive(...chunks: readonly Uint8Array[]): Told[] {
    this.endpoint.receive(chunks);
    return this.take();
  }

  unpause(): Told[] {
    this.endpoint.protocol.unpause();
    return this.take();
  }
}

const TEXT_A = { opcode: OPCODE.text, payload: "a" };
const TEXT_B = { opcode: OPCODE.text, payload: "b" };
const PING = { opcode: OPCODE.ping, payload: "?" };
const PONG = { opcode: OPCODE.pong, payload: "!" };

for (const role of ROLES) {
  test(`E3: our ${role} stops within a chunk, and serves the Pings and Pongs in the rest of it (C10)`, () => {
    const end = new OneByOne(role);
    const fragments = [
      { opcode: OPCODE.text, payload: "c", isFinal: false },
      PING,
      { opcode: OPCODE.continuation, payload: "d" },
    ];
    const chunk = framesTo(role, PING, TEXT_A, PONG, TEXT_B, ...fragments, PONG, TEXT_A);
    assert.deepEqual(end.receive(chunk), [ping("?"), text("a"), pong("!"), ping("?"), pong("!")]);
    assert.deepEqual(end.receive(framesTo(role, PONG, TEXT_B, PING)), [pong("!"), ping("?")]);
    assert.deepEqual(
      [end.unpause(), end.unpause(), end.unpause(), end.unpause(), end.unpause()],
      [[text("b")], [text("cd")], [text("a")], [text("b")], []],
    );
    assert.deepEqual(end.receive(framesTo(role, TEXT_A)), [text("a")]);
  });

  test(`E3: our ${role} lets no Close, invalid frame or later data overtake a message`, () => {
    const broken = { opcode: OPCODE.ping, payload: "?", rsv: 2 };
    for (const [frames, told] of [
      [[{ opcode: OPCODE.close }, PING], [close(1005)]],
      [[broken, PING], [failure("Expected no reserved bits, got RSV2.")]],
      [[{ ...PING, isFinal: false }], [failure("Expected a control frame in one piece, got a fragment.")]],
    ] as const satisfies readonly (readonly [FrameOptions[], Told[]])[]) {
      const end = new OneByOne(role);
      assert.deepEqual(end.receive(framesTo(role, TEXT_A, TEXT_B, ...frames)), [text("a")]);
      assert.deepEqual([end.unpause(), end.unpause(), end.unpause()], [[text("b")], told, []]);
    }
  });
}

const dataFrames = fc.oneof(
  fc
    .record({ opcode: fc.constantFrom(OPCODE.text, OPCODE.binary), payload: fc.string({ maxLength: 200 }) })
    .map((one) => [one]),
  fc.array(fc.string({ maxLength: 30 }), { minLength: 2, maxLength: 4 }).map((pieces) =>
    pieces.map((payload, index) => ({
      opcode: index === 0 ? OPCODE.text : OPCODE.continuation,
      payload,
      isFinal: index === pieces.length - 1,
    })),
  ),
);
const controls = fc.array(
  fc.record({ opcode: fc.constantFrom(OPCODE.ping, OPCODE.pong), payload: fc.string({ maxLength: 20 }) }),
  { maxLength: 2 },
);
/** Messages with control frames before, between and within them. */
const streams = fc
  .array(fc.tuple(dataFrames, fc.infiniteStream(controls)), { maxLength: 8 })
  .map((messages) =>
    messages.flatMap(([frames, between]) =>
      frames.flatMap((one) => [one, ...(between.next().value as FrameOptions[])]),
    ),
  );
const isMessage = ({ type }: Told): boolean => type === "text" || type === "binary";

test("E3: wherever an end pauses and whenever it resumes, it reports the same messages and control frames", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ROLES),
      streams,
      fc.array(fc.nat(2000), { maxLength: 6 }),
      fc.infiniteStream(fc.boolean()),
      (role, frames, places, choices) => {
        const stream = framesTo(role, ...frames, { opcode: OPCODE.close });
        const chunks = cutAt(stream, places);
        const plain = [...new Endpoint(role).receive(chunks)];
        const choose = (): boolean => choices.next().value as boolean;
        const end = new OneByOne(role, choose);
        const told: Told[] = [];
        for (const chunk of chunks) {
          const wasPaused = end.endpoint.protocol.isPaused;
          const now = end.receive(chunk);
          if (wasPaused) assert(!now.some(isMessage));
          told.push(...now);
          if (choose()) told.push(...end.unpause());
        }
        while (end.endpoint.protocol.isPaused) told.push(...end.unpause());
        assert.deepEqual(told.filter(isMessage), plain.filter(isMessage));
        assert.deepEqual(
          told.filter((one) => !isMessage(one)),
          plain.filter((one) => !isMessage(one)),
        );
        assert.deepEqual(told.at(-1), close(1005));
      },
    ),
    { numRuns: 500 },
  );
});
