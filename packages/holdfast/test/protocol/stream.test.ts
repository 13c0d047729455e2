import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { OPCODE, type FrameOptions } from "holdfast-testkit";
import { BINARY, FIN } from "../../build/shared/opcode.js";
import type { Role } from "../../build/shared/role.js";
import { anyText } from "./arbitraries.js";
import { byteByByte, cutAt, Endpoint, frameTo, patterned, ROLES } from "./endpoint.js";
import { binary, close, ping, pong, text, type Told } from "./recorder.js";

/** Frames of a valid stream, and what they must make. */
interface Scene {
  readonly frames: readonly FrameOptions[];
  readonly told: readonly Told[];
}

const control: fc.Arbitrary<Scene> = fc
  .tuple(fc.boolean(), fc.uint8Array({ maxLength: 125 }))
  .map(([isPing, payload]) => ({
    frames: [{ opcode: isPing ? OPCODE.ping : OPCODE.pong, payload }],
    told: [isPing ? ping(payload) : pong(payload)],
  }));

const content = fc.oneof(
  { weight: 6, arbitrary: anyText(60) },
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  { weight: 1, arbitrary: fc.constantFrom(125, 126, 127, 500, 65_535, 65_536).map(patterned) },
  { weight: 1, arbitrary: fc.constantFrom(125, 126, 300, 65_537).map((size) => "é".repeat(size >>> 1)) },
);

/** A message in any number of fragments, empty ones too, with control frames between them. */
const message: fc.Arbitrary<Scene> = fc
  .tuple(content, fc.array(fc.nat(), { maxLength: 4 }), fc.array(control, { maxLength: 3 }))
  .map(([body, places, controls]) => {
    const payload = Buffer.from(body);
    const ends = places.map((place) => place % (payload.length + 1)).sort((a, b) => a - b);
    const fragments = [...ends, payload.length].map((end, index): FrameOptions => ({
      opcode: index > 0 ? OPCODE.continuation : typeof body === "string" ? OPCODE.text : OPCODE.binary,
      isFinal: index === ends.length,
      payload: payload.subarray(index === 0 ? 0 : ends[index - 1], end),
    }));
    const between = controls.slice(0, ends.length);
    return {
      frames: fragments.flatMap((fragment, index) => [fragment, ...(between[index]?.frames ?? [])]),
      told: [...between.flatMap((scene) => scene.told), typeof body === "string" ? text(body) : binary(body)],
    };
  });

const ending: fc.Arbitrary<Scene> = fc.constantFrom(
  { frames: [], told: [] },
  { frames: [{ opcode: OPCODE.close }], told: [close(1005)] },
  { frames: [{ opcode: OPCODE.close, payload: "\x0f\xa0bye" }], told: [close(4000, "bye")] },
);

const scene: fc.Arbitrary<Scene> = fc
  .tuple(fc.array(fc.oneof({ weight: 3, arbitrary: message }, control), { maxLength: 6 }), ending)
  .map(([parts, last]) => [...parts, last])
  .map((parts) => ({
    frames: parts.flatMap((part) => part.frames),
    told: parts.flatMap((part) => part.told),
  }));

const masks = fc.array(fc.uint8Array({ minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 5 });

function streamTo(role: Role, frames: readonly FrameOptions[], keys: readonly Uint8Array[]): Uint8Array {
  const mask = (index: number) => role === "server" && (keys[index % keys.length] ?? true);
  return Buffer.concat(frames.map((options, index) => frameTo(role, { ...options, mask: mask(index) })));
}

for (const role of ROLES) {
  test(`E: a ${role} reads any valid stream the same, however it is fragmented, masked and split (RFC 6455 section 5.4)`, () => {
    fc.assert(
      fc.property(scene, masks, fc.array(fc.nat(), { maxLength: 12 }), ({ frames, told }, keys, places) => {
        const stream = streamTo(role, frames, keys);
        const chunks = cutAt(
          stream,
          places.map((place) => place % (stream.length + 1)),
        );
        assert.deepEqual(new Endpoint(role).receive(stream), told);
        assert.deepEqual(new Endpoint(role).receive(chunks), told);
        if (stream.length < 2000) assert.deepEqual(new Endpoint(role).receive(byteByByte(stream)), told);
      }),
      { numRuns: 200 },
    );
  });

  test(`E: what the other end sends, a ${role} receives, whatever the cuts (RFC 6455 section 5)`, () => {
    const peerRole = role === "server" ? "client" : "server";
    fc.assert(
      fc.property(
        fc.array(content, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (bodies, places) => {
          const { protocol } = new Endpoint(peerRole);
          const sent = bodies.map((body) =>
            typeof body === "string" ? protocol.textFrame(body) : protocol.frame(FIN | BINARY, body),
          );
          const stream = Buffer.concat([...sent, protocol.closeFrame({ code: 1000, reason: "done" })]);
          const chunks = cutAt(
            stream,
            places.map((place) => place % stream.length),
          );
          const told = bodies.map((body) => (typeof body === "string" ? text(body) : binary(body)));
          assert.deepEqual(new Endpoint(role).receive(chunks), [...told, close(1000, "done")]);
        },
      ),
    );
  });
}
