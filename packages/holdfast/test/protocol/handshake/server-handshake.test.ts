import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HeaderList } from "../../../build/protocol/handshake/header-list.js";
import { judgeRequest } from "../../../build/protocol/handshake/server-handshake.js";
import { buildRefusal } from "../../../build/protocol/handshake/server-responses.js";
import { SAMPLE_KEY } from "./heads.js";
import { judge, LINE, OPTIONS, REQUIRED, type Fields, type Options } from "./judge.js";

const UPGRADED = {
  outcome: "upgrade",
  key: SAMPLE_KEY,
  target: "/chat",
  subprotocol: null,
  subprotocolAnswer: null,
  link: 0,
  extensionOffer: null,
};
const NOT_WEBSOCKET = { outcome: "not-websocket" };

test("B3: the minimal request is upgraded (RFC 6455 section 4.2.1)", () => {
  assert.deepEqual(judge(LINE, {}), UPGRADED);
});

test("B3: the request with everything is upgraded, in any case of what has none", () => {
  const fields = {
    Upgrade: "h2c, WebSocket",
    Connection: ["keep-alive", "foo, UPGRADE"],
    "Content-Length": "0",
    Origin: "http://example.com",
    "Sec-WebSocket-Protocol": ["chat", "superchat"],
    "Sec-WebSocket-Extensions": ["a; b", "c"],
  };
  assert.deepEqual(
    judge("GET /chat?a=b HTTP/1.2", fields, { ...OPTIONS, subprotocols: ["superchat", "chat"] }),
    {
      outcome: "upgrade",
      key: SAMPLE_KEY,
      target: "/chat?a=b",
      subprotocol: "superchat",
      subprotocolAnswer: "superchat",
      link: 0,
      extensionOffer: "a; b, c",
    },
  );
});

test("G2: the caller answers a request that is not for a WebSocket", () => {
  assert.deepEqual(judge(LINE, { Upgrade: [] }), NOT_WEBSOCKET);
  assert.deepEqual(judge(LINE, { Upgrade: "h2c" }), NOT_WEBSOCKET);
  assert.deepEqual(judge("POST / HTTP/1.1", { Upgrade: [], "Content-Length": "5" }), NOT_WEBSOCKET);
  assert.deepEqual(judge("OPTIONS * HTTP/1.0", { Upgrade: [], Host: [] }), NOT_WEBSOCKET);
});

test("G3: HTTP/1.0 cannot upgrade (RFC 9110 section 7.8)", () => {
  assert.deepEqual(judge("GET / HTTP/1.0", {}), NOT_WEBSOCKET);
});

test("H: a target in absolute-form is reduced to its path if it names the Host (RFC 9112 section 3.2.2)", () => {
  for (const [target, path] of [
    ["http://example.com/chat", "/chat"],
    ["WS://Example.com:80/chat?a", "/chat?a"],
    ["https://example.com:443?a", "/?a"],
    ["http://example.com", "/"],
    ["http://example.com//evil/", "//evil/"],
  ]) {
    assert.deepEqual(judge(`GET ${target} HTTP/1.1`, {}), { ...UPGRADED, target: path }, target);
  }
});

test("H: a target that begins with two slashes is a path of this host", () => {
  assert.deepEqual(judge("GET //evil/chat HTTP/1.1", {}), { ...UPGRADED, target: "//evil/chat" });
});

test("G3: a listed origin is accepted, and a request without Origin is always accepted", () => {
  const options: Options = { ...OPTIONS, origins: [/^http:\/\/a$/g] };
  for (let round = 0; round < 3; round++)
    assert.deepEqual(judge(LINE, { Origin: "http://a" }, options), UPGRADED);
  assert.deepEqual(judge(LINE, {}, options), UPGRADED);
  assert.deepEqual(judge(LINE, { Origin: "http://example.com" }, options), {
    outcome: "refuse",
    status: 403,
    headers: {},
    body: 'Expected an Origin that the option `origins` lists, got "http://example.com". Add it to `origins` to let its pages in.',
  });
  assert.deepEqual(judge(LINE, { Origin: "null" }, { ...OPTIONS, origins: "any" }), UPGRADED);
});

test("G6: the server's preference decides among the subprotocols, prototype names included", () => {
  const choose = (offer: string, subprotocols: string[]) => {
    const judgement = judge(LINE, { "Sec-WebSocket-Protocol": offer }, { ...OPTIONS, subprotocols });
    return judgement.outcome === "upgrade" ? judgement.subprotocol : judgement;
  };
  assert.equal(choose("a, b", ["b", "a"]), "b");
  assert.equal(choose("a, B", ["b"]), null);
  assert.equal(choose("__proto__, constructor", []), null);
  assert.equal(choose("__proto__, constructor", ["constructor"]), "constructor");
});

test("G6: selectSubprotocol chooses among the offered subprotocols, and is not called if there are none", () => {
  const offers: (readonly string[])[] = [];
  const select = (selected: string | null | undefined, fields: Fields) => {
    const selectSubprotocol = (offered: readonly string[]) => {
      offers.push(offered);
      return selected;
    };
    return judge(LINE, fields, { ...OPTIONS, subprotocols: ["a"], selectSubprotocol });
  };
  const offer = { "Sec-WebSocket-Protocol": "a, b" };
  assert.deepEqual(select("b", offer), { ...UPGRADED, subprotocol: "b", subprotocolAnswer: "b" });
  assert.deepEqual(select(null, offer), UPGRADED);
  assert.deepEqual(select(undefined, offer), UPGRADED);
  assert.deepEqual(select("c", {}), UPGRADED);
  assert.throws(() => select("c", offer), {
    name: "InvalidArgumentError",
    message: 'Expected `selectSubprotocol` to return null or one of "a" and "b", got "c".',
  });
  assert.deepEqual(
    offers,
    Array.from({ length: 4 }, () => ["a", "b"]),
  );
});

test("H: any fields give a documented decision, and a refusal can be sent", () => {
  const names = Object.keys(REQUIRED).concat(
    "Origin",
    "Content-Length",
    "Sec-WebSocket-Protocol",
    "__proto__",
  );
  const text = fc.string({ unit: fc.constantFrom(...'a:/, @.\t"\x80\xff=1') });
  const values = fc.oneof(text, fc.constantFrom(...Object.values(REQUIRED)));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...names), values)), text, (fields, target) => {
      const lines = Object.entries(REQUIRED).concat(fields.slice(0, 3));
      const headers = new HeaderList(lines.map(([name, value]) => `${name}: ${value}\r\n`).join(""));
      const judgement = judgeRequest({ method: "GET", target, minorVersion: 1, headers }, OPTIONS);
      if (judgement.outcome === "refuse") assert.match(judgement.body, /^[\x20-\x7e…]+\.$/);
      if (judgement.outcome === "refuse") buildRefusal(judgement);
    }),
  );
});
