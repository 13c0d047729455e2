// The constructor: conversions, exceptions and their order.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { InvalidArgumentError } from "holdfast";
import { ResumableWebSocket, WebSocket, WebSocketStream } from "holdfast/websocket";
import { once, openScene, opened } from "./scene.js";

// Any value may be passed, as in JavaScript.
const Any = WebSocket as unknown as new (...args: unknown[]) => WebSocket;
const nowhere = "ws://127.0.0.1:1/";
const syntaxError = { name: "SyntaxError", code: 12 };

describe("The constructor", () => {
  for (const url of [
    "ws://foo bar.com/",
    "ftp://example.com/",
    "mailto:a@example.com",
    "about:blank",
    "#test",
    "/relative",
    "?test",
    "",
    "ws://example.com/#",
    "ws://example.com/#fragment",
    "https://example.com/#fragment",
  ]) {
    test(`N1: the URL ${JSON.stringify(url)} is a SyntaxError`, () => {
      assert.throws(() => new Any(url), syntaxError);
      assert.throws(() => new WebSocketStream(url), syntaxError);
    });
  }

  for (const protocols of ["", " ", "a b", "a,b", "ä", "\u0000", ["a", "a"], ["a", "A"], ["ok", "b/c"]]) {
    test(`N1: the subprotocols ${JSON.stringify(protocols)} are a SyntaxError`, () => {
      assert.throws(() => new Any(nowhere, protocols), syntaxError);
    });
  }

  test("N1: conversions come first, then the URL, then the subprotocols, then the options", () => {
    const order: string[] = [];
    const noted = (name: string, value: string) => ({ toString: () => (order.push(name), value) });
    assert.throws(() => new Any(noted("url", "::"), [noted("protocol", "a b")]), {
      message: /Expected a URL/,
    });
    assert.deepEqual(order, ["url", "protocol"]);
    assert.throws(() => new Any(nowhere, "a b", { holdfast: { pingInterval: -1 } }), syntaxError);
    assert.throws(() => new Any(nowhere, [], { holdfast: { pingInterval: -1 } }), InvalidArgumentError);
  });

  test("N1: it needs `new`, one argument, and values that convert to strings", () => {
    assert.throws(() => (WebSocket as unknown as (url: string) => void)(nowhere), TypeError);
    assert.throws(() => new Any(), TypeError);
    assert.throws(() => new Any(Symbol("url")), TypeError);
    assert.throws(() => new Any(nowhere, [Symbol("protocol")]), TypeError);
    assert.throws(() => new Any({ toString: () => ({}) }), TypeError);
  });

  test("N1: a third argument that is no object is ignored, as the standard ignores it", async () => {
    await using scene = await openScene();
    for (const extra of ["", "chat", 5, null, undefined]) {
      const socket = new Any(scene.url, [], extra, "more");
      await once(socket, "open");
      socket.close();
      await once(socket, "close");
    }
  });

  test("N3: `headers` of the third argument are sent, as SignalR passes them; those in `holdfast` take precedence", async () => {
    const seen: (string | null)[] = [];
    await using scene = await openScene({
      onRequest: ({ headers }) => void seen.push(headers.get("Authorization")),
    });
    const headers = { Authorization: "Bearer a" };
    for (const init of [{ headers }, { headers, holdfast: { headers: { Authorization: "Bearer b" } } }]) {
      const socket = new Any(scene.url, undefined, init);
      await once(socket, "open");
      socket.close();
      await once(socket, "close");
    }
    assert.deepEqual(seen, ["Bearer a", "Bearer b"]);
  });

  test("N1: `url` is the serialised URL, with the scheme ws or wss", async () => {
    const urls = [
      ["ws://EXAMPLE.invalid:80/a b?c", "ws://example.invalid/a%20b?c"],
      ["wss://example.invalid:443", "wss://example.invalid/"],
      ["http://example.invalid:8080/\ud800", "ws://example.invalid:8080/%EF%BF%BD"],
      ["https://example.invalid", "wss://example.invalid/"],
    ];
    for (const [given, expected] of urls) {
      const socket = new WebSocket(given);
      assert.equal(socket.url, expected);
      assert.equal(socket.readyState, WebSocket.CONNECTING);
      socket.close();
      await once(socket, "close");
    }
  });

  test("N1: subprotocols are a string or any iterable, and the server selects one", async () => {
    await using scene = await openScene({ subprotocols: ["second"] });
    for (const protocols of ["second", ["first", "second"], new Set(["first", "second"])]) {
      const socket = await opened(scene.url, protocols);
      assert.equal(socket.protocol, "second");
      socket.close();
      await once(socket, "close");
    }
  });

  test("N1: a server that selects none of the subprotocols fails the connection", async () => {
    await using scene = await openScene();
    const socket = new WebSocket(scene.url, "chat");
    await once(socket, "close");
    assert.equal(socket.closeInfo?.error?.name, "NegotiationError");
  });

  test("N1: an unknown or replaced option of Holdfast is an InvalidArgumentError that names it", () => {
    for (const name of ["pingIntervall", "subprotocols", "signal", "text"]) {
      assert.throws(() => new Any(nowhere, [], { holdfast: { [name]: "x" } }), {
        name: "InvalidArgumentError",
        message: new RegExp(name),
      });
    }
    assert.throws(
      () => new Any(nowhere, [], { perMessageDeflate: false }),
      (error: Error) =>
        error instanceof InvalidArgumentError &&
        error.message === "Expected only options of WebSocket, got `perMessageDeflate`. Remove it.",
    );
    assert.throws(() => new WebSocketStream(nowhere, { protocl: ["chat"] } as object), {
      name: "InvalidArgumentError",
      message: "Expected only options of WebSocketStream, got `protocl`. Did you mean `protocols`?",
    });
    assert.throws(
      () => new Any(nowhere, [], { holdfast: { maxBufferedAmount: "1 MB" } }),
      InvalidArgumentError,
    );
    assert.throws(
      () => new ResumableWebSocket(nowhere, [], { holdfast: { minDelay: -1 } }),
      InvalidArgumentError,
    );
  });
});
