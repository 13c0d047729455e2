// Events while a thread still encodes a message: the test decides when and how the encoding ends.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Encoded, MessageExtension } from "../../../build/protocol/extension.js";
import { follow, Harness, ROLES, summary, type Setup } from "../../connection/harness.js";

/** Leaves short messages unchanged, and encodes each long one when the test resolves it. */
class Pending implements MessageExtension {
  readonly name = "x-pending";
  readonly reservedBits = 0x40;
  readonly threshold = 10;
  readonly started: { resolve: (encoded: Encoded) => void; reject: (error: Error) => void }[] = [];

  maxEncodedSize(size: number): number {
    return size;
  }

  decode(payload: Uint8Array): Uint8Array {
    return payload;
  }

  encode(payload: Uint8Array): null | Promise<Encoded> {
    if (payload.length < this.threshold) return null;
    return new Promise((resolve, reject) => this.started.push({ resolve, reject }));
  }
}

function open(setup: Setup) {
  const extension = new Pending();
  return { extension, h: new Harness({ ...setup, extension }) };
}

for (const role of ROLES) {
  test(`C6, E6: the verdict's Close of a ${role} overtakes what is still being encoded, and messages queued after it`, async () => {
    const { h } = open({ role, pingInterval: 10_000, pingTimeout: 5000 });
    h.clock.advance(4999);
    assert.deepEqual(h.sent(), ["PING (8 bytes)"]);
    const sends = ["short", "being encoded", "behind"].map((text) => follow(h.connection.send(text)));
    h.clock.advance(1);
    const info = await h.end();
    assert.deepEqual(h.sent(), ["TEXT short", "CLOSE 1011 keepalive ping timeout"]);
    assert.deepEqual([info.cause, info.evidence.bytesBuffered > 0], ["heartbeat-timeout", true]);
    assert.deepEqual(
      sends.map(({ outcome }) => outcome.status),
      ["fulfilled", "pending", "fulfilled"],
    );
    h.assertGone();
  });

  test(`E8: a ${role} ends with 1011 at once where a message cannot be encoded, and its send rejects with the reason`, async () => {
    const { h, extension } = open({ role });
    const sends = ["being encoded 1", "being encoded 2", "behind"].map((text) =>
      follow(h.connection.send(text)),
    );
    const error = new Error("out of memory");
    extension.started[1].reject(error);
    await h.clock.settle();
    assert.deepEqual([h.connection.state, h.sent()], ["closing", []]);
    extension.started[0].resolve(Buffer.from("encoded 1"));
    await h.clock.settle();
    assert.deepEqual(h.sent(), ["TEXT encoded 1", "CLOSE 1011 compression failed"]);
    h.deliver(h.close(1011));
    h.transport.eof();
    const info = await h.end();
    assert.deepEqual(
      { ...summary(info), error: info.error },
      {
        code: 1011,
        reason: "",
        received: { code: 1011, reason: "" },
        sent: { code: 1011, reason: "compression failed" },
        receivedFirst: false,
        clean: true,
        ok: false,
        initiator: "local",
        cause: "local-close",
        error,
        message: "sent 1011 (internal error) compression failed; then received 1011 (internal error)",
      },
    );
    // The last one was accepted below writeLimit, and nothing waits for it.
    const [first, second, third] = sends.map(({ outcome }) => outcome);
    const fulfilled = { status: "fulfilled", value: undefined };
    assert.deepEqual([first, third], [fulfilled, fulfilled]);
    assert(second.status === "rejected" && second.error instanceof Error);
    assert.deepEqual([second.error.name, second.error.cause], ["ConnectionClosedError", error]);
    h.assertGone();
  });

  test(`E8: a ${role} that closes is not held up by a message that cannot be encoded`, async () => {
    const { h, extension } = open({ role });
    const send = follow(h.connection.send("being encoded"));
    void h.connection.close();
    await h.clock.settle();
    assert.deepEqual(h.sent(), []);
    extension.started[0].reject(new Error("out of memory"));
    await h.clock.settle();
    assert.deepEqual(h.sent(), ["CLOSE 1000"]);
    h.deliver(h.close(1000));
    h.transport.eof();
    assert.equal((await h.end()).clean, true);
    assert.equal(send.outcome.status, "rejected");
    h.assertGone();
  });

  test(`E8: nothing more happens to a ${role} that is gone when encoding fails`, async () => {
    const { h, extension } = open({ role });
    const send = follow(h.connection.send("being encoded"));
    h.connection.terminate();
    await h.end();
    extension.started[0].reject(new Error("out of memory"));
    await h.clock.settle();
    assert.equal(send.outcome.status, "rejected");
    assert.equal(h.sent().length, 0);
    h.assertGone();
  });
}
