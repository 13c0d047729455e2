// Endings with both Close frames.

import { coreOf } from "../../../../build/connection/core-of.js";
import { answer, frame, told, type Ending } from "./ending.js";

export const CLEAN_ENDINGS: readonly Ending[] = [
  {
    name: "we close, the peer agrees",
    act: (h) => {
      void h.connection.close();
      answer(h, 1000);
    },
    expected: told(
      "local-close",
      "local",
      { sent: frame(1000), received: frame(1000) },
      "sent 1000 (OK); then received 1000 (OK)",
    ),
  },
  {
    name: "we close as a server with a code of our own, the peer agrees",
    setup: { role: "server" },
    act: (h) => {
      void h.connection.close(4001, "maintenance");
      answer(h, 4001, "maintenance");
    },
    expected: told(
      "local-close",
      "local",
      { sent: frame(4001, "maintenance"), received: frame(4001, "maintenance") },
      "sent 4001 (private use) maintenance; then received 4001 (private use) maintenance",
    ),
  },
  {
    name: "we close with a code of our own, the peer answers 1000",
    act: (h) => {
      void h.connection.close(4002);
      answer(h, 1000);
    },
    expected: told(
      "local-close",
      "local",
      { sent: frame(4002), received: frame(1000) },
      "sent 4002 (private use); then received 1000 (OK)",
    ),
  },
  {
    name: "both close at once",
    act: (h) => {
      void h.connection.close(1000);
      answer(h, 1001, "bye");
    },
    expected: told(
      "local-close",
      "local",
      { sent: frame(1000), received: frame(1001, "bye") },
      "sent 1000 (OK); then received 1001 (going away) bye",
    ),
  },
  {
    name: "we close, the peer agrees and keeps TCP open",
    act: (h) => {
      void h.connection.close(1001);
      h.clock.turn();
      h.deliver(h.close(1001));
      h.clock.advance(5000);
    },
    expected: told(
      "local-close",
      "local",
      { sent: frame(1001), received: frame(1001) },
      "sent 1001 (going away); then received 1001 (going away)",
    ),
  },
  {
    name: "the peer closes, with nothing to say",
    setup: { role: "server" },
    act: (h) => {
      h.deliver(h.close());
      h.transport.eof();
    },
    expected: told(
      "peer-close",
      "peer",
      { sent: frame(1005), received: frame(1005), receivedFirst: true },
      "received 1005 (no status received [internal]); then sent 1005 (no status received [internal])",
    ),
  },
  {
    name: "the peer goes away",
    act: (h) => {
      h.deliver(h.close(1001, "server restarts"));
      h.transport.eof();
    },
    expected: told(
      "peer-close",
      "peer",
      { sent: frame(1001, "server restarts"), received: frame(1001, "server restarts"), receivedFirst: true },
      "received 1001 (going away) server restarts; then sent 1001 (going away) server restarts",
    ),
  },
  {
    name: "the peer closes with a registered code, and never ends TCP",
    setup: { role: "server" },
    act: (h) => {
      h.deliver(h.close(3008));
      h.clock.advance(5000);
    },
    expected: told(
      "peer-close",
      "peer",
      { sent: frame(3008), received: frame(3008), receivedFirst: true },
      "received 3008 (registered); then sent 3008 (registered)",
    ),
  },
  {
    name: "the peer declares us dead, and resets after its Close",
    act: (h) => {
      h.deliver(h.close(1011, "keepalive ping timeout"));
      h.transport.fail();
    },
    expected: told(
      "peer-close",
      "peer",
      {
        sent: frame(1011, "keepalive ping timeout"),
        received: frame(1011, "keepalive ping timeout"),
        receivedFirst: true,
      },
      "received 1011 (internal error) keepalive ping timeout; then sent 1011 (internal error) keepalive ping timeout",
    ),
  },
  {
    name: "the handler fails",
    setup: { role: "server" },
    act: (h) => {
      coreOf(h.connection).closeWithCause("handler-failed", { code: 1011, reason: "" }, new TypeError("no"));
      answer(h, 1011);
    },
    expected: told(
      "handler-failed",
      "local",
      { sent: frame(1011), received: frame(1011) },
      "sent 1011 (internal error); then received 1011 (internal error)",
      "TypeError",
    ),
  },
  {
    name: "the server shuts down",
    setup: { role: "server" },
    act: (h) => {
      coreOf(h.connection).closeWithCause("server-shutdown", { code: 1001, reason: "" });
      answer(h, 1001);
    },
    expected: told(
      "server-shutdown",
      "local",
      { sent: frame(1001), received: frame(1001) },
      "sent 1001 (going away); then received 1001 (going away)",
    ),
  },
];
