// The properties that Web IDL prescribes, as idlharness.js of the web-platform-tests checks them.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  CloseEvent,
  ResumableWebSocket,
  WebSocket,
  WebSocketError,
  WebSocketStream,
} from "holdfast/websocket";

const CONSTANTS = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };
const READ_ONLY = ["url", "readyState", "bufferedAmount", "extensions", "protocol", "closeInfo", "latency"];
const WRITABLE = ["onopen", "onerror", "onclose", "onmessage", "binaryType"];

describe("The interface", () => {
  for (const [name, Class] of Object.entries({ WebSocket, ResumableWebSocket })) {
    test(`N1: ${name} has its name, length, prototype and tag`, () => {
      assert.equal(Class.name, name);
      assert.equal((Class as unknown as { length: number }).length, 1);
      assert.equal(Object.getPrototypeOf(Class), EventTarget);
      assert.equal(Object.getPrototypeOf(Class.prototype), EventTarget.prototype);
      assert.equal(Object.prototype.toString.call(Class.prototype), `[object ${name}]`);
      assert.deepEqual(Object.getOwnPropertyDescriptor(Class.prototype, Symbol.toStringTag), {
        value: name,
        writable: false,
        enumerable: false,
        configurable: true,
      });
    });

    test(`N1: the constants of ${name} are on the class and its prototype, enumerable and fixed`, () => {
      for (const [constant, value] of Object.entries(CONSTANTS)) {
        for (const owner of [Class, Class.prototype]) {
          assert.deepEqual(Object.getOwnPropertyDescriptor(owner, constant), {
            value,
            writable: false,
            enumerable: true,
            configurable: false,
          });
        }
      }
    });

    test(`N1: the attributes of ${name} are enumerable accessors that require an instance`, () => {
      for (const attribute of [...READ_ONLY, ...WRITABLE]) {
        const descriptor = Object.getOwnPropertyDescriptor(Class.prototype, attribute);
        assert.ok(descriptor?.get !== undefined, attribute);
        assert.equal(descriptor.enumerable, true, attribute);
        assert.equal(descriptor.configurable, true, attribute);
        assert.equal(descriptor.get.name, `get ${attribute}`);
        assert.equal(descriptor.set !== undefined, WRITABLE.includes(attribute), attribute);
        assert.throws(() => Reflect.get(Class.prototype, attribute) as unknown, TypeError);
      }
    });

    test(`N1: the methods of ${name} are enumerable and take as many arguments as required`, () => {
      for (const [method, length] of Object.entries({ send: 1, close: 0 })) {
        const descriptor = Object.getOwnPropertyDescriptor(Class.prototype, method);
        assert.equal((descriptor?.value as { length: number }).length, length);
        assert.equal(descriptor?.enumerable, true);
        assert.equal(descriptor.writable, true);
      }
      assert.equal("URL" in Class.prototype, false);
    });

    test(`N1: the members of ${name} check \`this\` before their arguments`, () => {
      const { prototype } = Class;
      for (const other of [null, {}, new EventTarget()]) {
        for (const [method, argument] of Object.entries({ close: 7, send: "a" })) {
          const call: unknown = Reflect.get(prototype, method);
          assert.throws(() => Reflect.apply(call as () => void, other, [argument]), TypeError);
        }
        assert.throws(() => Reflect.set(prototype, "binaryType", "neither", other), TypeError);
      }
    });
  }

  test("N1: CloseEvent converts its members, and has defaults", () => {
    assert.ok(CloseEvent.prototype instanceof Event);
    const plain = new CloseEvent("close");
    assert.deepEqual([plain.type, plain.code, plain.reason, plain.wasClean], ["close", 0, "", false]);
    const full = new CloseEvent("x", {
      code: 65_536 + 7,
      reason: "\ud800",
      wasClean: true,
      cancelable: true,
    });
    assert.deepEqual([full.code, full.reason, full.wasClean, full.cancelable], [7, "\ufffd", true, true]);
    assert.throws(() => Reflect.construct(CloseEvent, []) as unknown, TypeError);
    for (const name of ["code", "reason", "wasClean"]) {
      assert.equal(Object.getOwnPropertyDescriptor(CloseEvent.prototype, name)?.enumerable, true);
      assert.throws(() => Reflect.get(CloseEvent.prototype, name) as unknown, TypeError);
    }
  });

  test("N1: WebSocketError is a DOMException with a code and a reason", () => {
    const plain = new WebSocketError();
    assert.ok(plain instanceof DOMException);
    assert.deepEqual(
      [plain.name, plain.message, plain.closeCode, plain.reason],
      ["WebSocketError", "", null, ""],
    );
    const full = new WebSocketError("m", { closeCode: 3456, reason: "pizza" });
    assert.deepEqual([full.message, full.closeCode, full.reason], ["m", 3456, "pizza"]);
    assert.equal(new WebSocketError("", { reason: "why" }).closeCode, 1000);
    assert.throws(() => new WebSocketError("", { closeCode: 1001 }), { name: "InvalidAccessError" });
    assert.throws(() => new WebSocketError("", { reason: "x".repeat(124) }), { name: "SyntaxError" });
    assert.throws(() => new WebSocketError("", { closeCode: 65_536 }), TypeError);
    assert.equal(WebSocketStream.name, "WebSocketStream");
    assert.equal(WebSocketStream.length, 1);
  });
});
