// Endings caused by an error.

import { coreOf } from "../../../../build/connection/core-of.js";
import type { Harness } from "../../harness.js";
import { frame, NO_FRAMES, told, type Ending } from "./ending.js";

const FAILED = "sent 1011 (internal error); no close frame received";

export const BROKEN_ENDINGS: readonly Ending[] = [
  { name: "FIN", act: (h) => h.transport.eof(), expected: told("eof", "network", {}, NO_FRAMES) },
  {
    name: "RST",
    act: (h) => h.transport.fail("ECONNRESET"),
    expected: told("reset", "network", {}, NO_FRAMES, "Error"),
  },
  {
    name: "a write fails",
    act: (h) => h.transport.fail("EPIPE"),
    expected: told("write-failed", "network", {}, NO_FRAMES, "Error"),
  },
  {
    name: "the network fails",
    act: (h) => h.transport.fail("ETIMEDOUT"),
    expected: told("unreachable", "network", {}, NO_FRAMES, "Error"),
  },
  {
    name: "FIN instead of an answer to our Close",
    act: (h) => {
      void h.connection.close();
      h.clock.turn();
      h.transport.eof();
    },
    expected: told("eof", "network", { sent: frame(1000) }, "sent 1000 (OK); no close frame received"),
  },
  {
    name: "RST instead of an answer to our Close",
    act: (h) => {
      void h.connection.close();
      h.clock.turn();
      h.transport.fail();
    },
    expected: told(
      "reset",
      "network",
      { sent: frame(1000) },
      "sent 1000 (OK); no close frame received",
      "Error",
    ),
  },
  {
    name: "no answer to our Close",
    act: (h) => {
      void h.connection.close(1000, "done");
      h.clock.advance(5000);
    },
    expected: told(
      "close-timeout",
      "local",
      { sent: frame(1000, "done") },
      "sent 1000 (OK) done; no close frame received",
    ),
  },
  {
    name: "no pong",
    setup: { pingInterval: 1000, pingTimeout: 1000 },
    act: (h) => h.clock.advance(1000),
    expected: told(
      "heartbeat-timeout",
      "local",
      { sent: frame(1011, "keepalive ping timeout") },
      "sent 1011 (internal error) keepalive ping timeout; no close frame received",
    ),
  },
  {
    name: "a broken frame, and FIN",
    act: (h) => {
      h.deliver(h.frame({ opcode: 3 }));
      h.transport.eof();
    },
    expected: told(
      "protocol-error",
      "local",
      { sent: frame(1002, "Expected a known opcode, got 0x3") },
      "sent 1002 (protocol error) Expected a known opcode, got 0x3; no close frame received",
      "ProtocolError",
    ),
  },
  {
    name: "a broken frame, and a Close that the peer still sends",
    act: (h) => {
      h.deliver(h.frame({ opcode: 3 }), h.text("ignored"), h.close(1002, "sorry"));
      h.transport.eof();
    },
    expected: told(
      "protocol-error",
      "local",
      { sent: frame(1002, "Expected a known opcode, got 0x3"), received: frame(1002, "sorry") },
      "sent 1002 (protocol error) Expected a known opcode, got 0x3; then received 1002 (protocol error) sorry",
      "ProtocolError",
    ),
  },
  {
    name: "a broken frame of a peer that then stays mute",
    setup: { role: "server" },
    act: (h) => {
      h.deliver(h.frame({ opcode: 1, mask: false }));
      h.clock.advance(5000);
    },
    expected: told(
      "protocol-error",
      "local",
      { sent: frame(1002, "Expected a masked frame from a client, got an unmasked one") },
      "sent 1002 (protocol error) Expected a masked frame from a client, got an unmasked one; no close frame received",
      "ProtocolError",
    ),
  },
  {
    name: "a broken frame instead of an answer to our Close",
    act: (h) => {
      void h.connection.close();
      h.clock.turn();
      h.deliver(h.frame({ opcode: 3 }));
      h.transport.eof();
    },
    expected: told(
      "protocol-error",
      "local",
      { sent: frame(1000) },
      "sent 1000 (OK); no close frame received",
      "ProtocolError",
    ),
  },
  {
    name: "a close code that may not be sent",
    act: (h) => {
      h.deliver(h.close(1005));
      h.transport.eof();
    },
    expected: told(
      "protocol-error",
      "local",
      { sent: frame(1002, "Expected a valid close code, got 1005") },
      "sent 1002 (protocol error) Expected a valid close code, got 1005; no close frame received",
      "ProtocolError",
    ),
  },
  {
    name: "text that is not UTF-8",
    act: (h) => {
      h.deliver(h.frame({ opcode: 1, payload: "\xff" }));
      h.transport.eof();
    },
    expected: told(
      "invalid-data",
      "local",
      { sent: frame(1007, "Expected UTF-8 in a text message, got other bytes") },
      "sent 1007 (invalid frame payload data) Expected UTF-8 in a text message, got other bytes; no close frame received",
      "ProtocolError",
    ),
  },
  {
    name: "a message over the limit",
    setup: { maxMessageSize: 10 },
    act: (h) => {
      void h.connection.forEach(() => undefined);
      h.deliver(h.frame({ opcode: 2, payload: "x".repeat(11) }));
      h.transport.eof();
    },
    expected: told(
      "message-too-big",
      "local",
      { sent: frame(1009, "Expected a message of at most 10 bytes, got 11") },
      "sent 1009 (message too big) Expected a message of at most 10 bytes, got 11; no close frame received",
      "MessageTooBigError",
    ),
  },
  {
    name: "terminate()",
    act: (h) => h.connection.terminate(),
    expected: told("aborted", "local", {}, NO_FRAMES),
  },
  {
    name: "terminate() while closing",
    act: (h) => {
      void h.connection.close();
      h.clock.turn();
      h.connection.terminate();
    },
    expected: told("aborted", "local", { sent: frame(1000) }, "sent 1000 (OK); no close frame received"),
  },
  {
    name: "the server shuts down, and its application cuts a straggler",
    setup: { role: "server" },
    act: (h) => {
      coreOf(h.connection).closeWithCause("server-shutdown", { code: 1001, reason: "" });
      h.clock.turn();
      h.connection.terminate();
    },
    expected: told(
      "aborted",
      "local",
      { sent: frame(1001) },
      "sent 1001 (going away); no close frame received",
    ),
  },
  {
    name: "the server shuts down, and cuts a straggler",
    setup: { role: "server" },
    act: (h) => {
      coreOf(h.connection).closeWithCause("server-shutdown", { code: 1001, reason: "" });
      h.clock.turn();
      coreOf(h.connection).terminate("server-shutdown");
    },
    expected: told(
      "server-shutdown",
      "local",
      { sent: frame(1001) },
      "sent 1001 (going away); no close frame received",
    ),
  },
  ...(["eof", "reset", "no answer"] as const).flatMap((how) => unanswered(how)),
  {
    name: "the handler fails, and the server shuts down and cuts the mute peer",
    setup: { role: "server" },
    act: (h) => {
      coreOf(h.connection).closeWithCause(
        "handler-failed",
        { code: 1011, reason: "" },
        new RangeError("cut"),
      );
      h.clock.turn();
      coreOf(h.connection).terminate("server-shutdown");
    },
    expected: told("handler-failed", "local", { sent: frame(1011) }, FAILED, "RangeError"),
  },
];

/** The peer does not answer a Close that has a reason: the reason stays the cause. */
function unanswered(how: "eof" | "no answer" | "reset"): readonly Ending[] {
  const endUnanswered = (h: Harness): void => {
    h.clock.turn();
    if (how === "eof") h.transport.eof();
    else if (how === "reset") h.transport.fail();
    else h.clock.advance(10_000);
  };
  return [
    {
      name: `the handler fails, and then: ${how}`,
      setup: { role: "server" },
      act: (h) => {
        const error = new TypeError(`no, ${how}`);
        coreOf(h.connection).closeWithCause("handler-failed", { code: 1011, reason: "" }, error);
        endUnanswered(h);
      },
      expected: told("handler-failed", "local", { sent: frame(1011) }, FAILED, "TypeError"),
    },
    {
      name: `the server shuts down, and then: ${how}`,
      setup: { role: "server" },
      act: (h) => {
        coreOf(h.connection).closeWithCause("server-shutdown", { code: 1001, reason: how });
        endUnanswered(h);
      },
      expected: told(
        "server-shutdown",
        "local",
        { sent: frame(1001, how) },
        `sent 1001 (going away) ${how}; no close frame received`,
      ),
    },
    {
      name: `the rest of a fragmented message fails, and then: ${how}`,
      act: (h) => {
        coreOf(h.connection).breakOff(new TypeError(`no rest, ${how}`));
        endUnanswered(h);
      },
      expected: told(
        "local-close",
        "local",
        { sent: frame(1011, "error in fragmented message") },
        "sent 1011 (internal error) error in fragmented message; no close frame received",
        "TypeError",
      ),
    },
  ];
}
