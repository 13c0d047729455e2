// One connection over a fake transport, on a fake clock. The test acts as the peer, the kernel and the clock.

import assert from "node:assert/strict";
import {
  closePayload,
  FakeClock,
  FakeTransport,
  frame,
  OPCODE,
  parseFrame,
  SeededRandom,
  type BytesLike,
  type FrameOptions,
  type RawFrame,
} from "holdfast-testkit";
import { SILENT_PLATFORM, type Platform } from "../../build/connection/platform.js";
import type { CloseInfo } from "../../build/connection/close-info.js";
import { createConnection, type Connection } from "../../build/connection/connection.js";
import { coreOf } from "../../build/connection/core-of.js";
import { heartbeatKeepalive } from "../../build/connection/keepalive/heartbeat-keepalive.js";
import { FrameRuntime } from "../../build/transport/frames/frame-runtime.js";
import { overFrames } from "../../build/transport/frames/frame-transport.js";
import type { ConnectionOptions } from "../../build/connection/options.js";
import { checkNodeOptions } from "../../build/transport/node/connection-settings.js";
import type { MessageTransportFactory } from "../../build/connection/message-transport.js";
import type { MessageExtension } from "../../build/protocol/extension.js";
import type { Role } from "../../build/shared/role.js";

export const ROLES: readonly Role[] = ["client", "server"];

export interface Setup extends ConnectionOptions {
  /** @default "client" */
  readonly role?: Role;
  /** Bytes that the kernel accepts before the peer has to read. @default Infinity */
  readonly capacity?: number;
  /** Shared with other connections; by default each has its own. */
  readonly shared?: { readonly clock: FakeClock; readonly runtime: FrameRuntime };
  /** Bytes that arrived together with the handshake. */
  readonly glued?: Uint8Array;
  /** Bytes to send first. */
  readonly preface?: Uint8Array;
  /** The negotiated extension. @default null */
  readonly extension?: MessageExtension | null;
  /** A decorator between the frames and the connection. */
  readonly layer?: (below: MessageTransportFactory) => MessageTransportFactory;
}

export function sharedRuntime(platform: Platform = SILENT_PLATFORM) {
  const clock = new FakeClock();
  return { clock, runtime: new FrameRuntime(clock, new SeededRandom(), null, platform) };
}

export class Harness {
  readonly role: Role;
  readonly clock: FakeClock;
  readonly runtime: FrameRuntime;
  readonly transport: FakeTransport;
  readonly connection: Connection;
  /** The ends that were reported to the owner. */
  readonly ends: CloseInfo[] = [];

  /** An open connection. Keepalive is off unless `pingInterval` is given. */
  constructor(setup: Setup = {}) {
    const {
      role = "client",
      capacity = Infinity,
      shared,
      glued,
      preface,
      extension = null,
      layer = (below) => below,
      ...options
    } = setup;
    this.role = role;
    ({ clock: this.clock, runtime: this.runtime } = shared ?? sharedRuntime());
    this.transport = new FakeTransport({ clock: this.clock, capacity });
    const headers = new Headers();
    const settings = checkNodeOptions({ pingInterval: null, ...options });
    this.connection = createConnection({
      keepalive: heartbeatKeepalive,
      runtime: this.runtime,
      transport: layer(
        overFrames({
          runtime: this.runtime,
          stream: this.transport,
          role,
          settings,
          extension,
          preface: preface ?? null,
          rest: glued ?? new Uint8Array(),
        }),
      ),
      settings,
      handshake: {
        url: "ws://example.com/",
        request: { method: "GET", target: "/", headers },
        response: { status: 101, headers },
        subprotocol: null,
        extensions: [],
      },
      owner: { onConnectionEnded: (_, info) => this.ends.push(info) },
    });
    coreOf(this.connection).start();
  }

  /** The bytes of a frame of the peer, masked if the peer is the client. */
  frame(options: FrameOptions): Uint8Array<ArrayBuffer> {
    return frame({ mask: this.role === "server", ...options });
  }

  text(text: string): Uint8Array {
    return this.frame({ opcode: OPCODE.text, payload: Buffer.from(text) });
  }

  binary(payload: BytesLike): Uint8Array {
    return this.frame({ opcode: OPCODE.binary, payload });
  }

  ping(payload: BytesLike): Uint8Array {
    return this.frame({ opcode: OPCODE.ping, payload });
  }

  pong(payload: BytesLike): Uint8Array {
    return this.frame({ opcode: OPCODE.pong, payload });
  }

  close(code?: number, reason?: string): Uint8Array {
    return this.frame({ opcode: OPCODE.close, payload: closePayload(code, reason) });
  }

  /** The peer's frames arrive in one chunk, and are read at once. */
  deliver(...frames: readonly Uint8Array[]): void {
    this.transport.deliver(Buffer.concat(frames));
  }

  /** The frames passed to the socket since the last call. */
  sentFrames(): readonly RawFrame[] {
    const written = this.transport.takeWritten();
    const frames = parseFrames(written);
    for (const { isMasked } of frames) assert.equal(isMasked, this.role === "client");
    return frames;
  }

  /** Descriptions of those frames, such as `TEXT hello`, `PING (8 bytes)`, `CLOSE 1000 bye`. */
  sent(): readonly string[] {
    return this.sentFrames().map(describeFrame);
  }

  /** Ends this turn, and answers the newest ping that was sent in it. */
  answerPing(): void {
    this.clock.turn();
    if (this.role === "server") this.clock.turn(); // A server does not send its first ping in the same turn as the response.
    const newest = this.sentFrames().findLast(({ opcode }) => opcode === OPCODE.ping);
    assert(newest !== undefined, "No ping was sent");
    this.deliver(this.pong(newest.payload));
  }

  /** Lets this turn of the event loop finish; then the connection must have ended. */
  async end(): Promise<CloseInfo> {
    await this.clock.settle();
    const info = this.ends.at(0);
    assert(info !== undefined, `The connection is still ${this.connection.state}`);
    return info;
  }

  /** Asserts that the socket is closed, and no alarm, timer or callback remains. */
  assertGone(): void {
    const { clock, connection, runtime, transport } = this;
    assert.deepEqual(
      {
        state: connection.state,
        isClosed: transport.isClosed,
        alarms: runtime.timers.size,
        timers: clock.pendingTimers,
        callbacks: clock.pendingCallbacks,
        ends: this.ends.length,
      },
      { state: "closed", isClosed: true, alarms: 0, timers: 0, callbacks: 0, ends: 1 },
    );
  }
}

/** The state of a promise. */
export type Outcome<T> =
  | { readonly status: "pending" }
  | { readonly status: "fulfilled"; readonly value: T }
  | { readonly status: "rejected"; readonly error: unknown };

/** Tracks a promise without waiting for it. */
export function follow<T>(promise: Promise<T>): { readonly outcome: Outcome<T> } {
  const followed: { outcome: Outcome<T> } = { outcome: { status: "pending" } };
  promise.then(
    (value) => (followed.outcome = { status: "fulfilled", value }),
    (error: unknown) => (followed.outcome = { status: "rejected", error }),
  );
  return followed;
}

/** `CloseInfo` without its evidence, and with the name of its error. */
export function summary({ evidence: _evidence, error, ...rest }: CloseInfo) {
  return { ...rest, error: error === null ? null : error.name };
}

/** Parses all of the bytes as frames. */
export function parseFrames(bytes: Uint8Array): RawFrame[] {
  const frames: RawFrame[] = [];
  for (let at = 0; at < bytes.length;) {
    const parsed = parseFrame(bytes.subarray(at));
    assert(parsed !== null, "The bytes end within a frame");
    frames.push(parsed.value);
    at += parsed.length;
  }
  return frames;
}

export function describeFrame({ opcode, payload }: RawFrame): string {
  const name = Object.entries(OPCODE).find(([, value]) => value === opcode)?.[0] ?? String(opcode);
  return `${name.toUpperCase()} ${opcode === OPCODE.close ? describeClose(payload) : describePayload(payload)}`.trimEnd();
}

function describeClose(payload: Uint8Array): string {
  if (payload.length === 0) return "";
  const bytes = Buffer.from(payload);
  return `${bytes.readUInt16BE(0)} ${bytes.toString("utf8", 2)}`;
}

function describePayload(payload: Uint8Array): string {
  const text = Buffer.from(payload).toString("utf8");
  return payload.length <= 40 && /^[\x20-\x7e]*$/.test(text) ? text : `(${payload.length} bytes)`;
}
