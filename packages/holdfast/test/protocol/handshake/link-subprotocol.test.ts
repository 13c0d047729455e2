import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { offerLink, readLinkAnswer, type LinkVersion } from "../../../build/shared/link-subprotocol.js";
import { judge, LINE, OPTIONS } from "./judge.js";

const PLAIN_TOO = { isRequired: false, wantsSession: false };
const LINK_ONLY = { isRequired: true, wantsSession: false };

/** The answer of a server with these `subprotocols` to an offer. */
function answerTo(offer: readonly string[], subprotocols: readonly string[], newest: LinkVersion) {
  const fields = { "Sec-WebSocket-Protocol": offer };
  const judgement = judge(LINE, fields, { ...OPTIONS, subprotocols, link: newest });
  assert.equal(judgement.outcome, "upgrade");
  const { subprotocol, subprotocolAnswer, link } = judgement;
  return { subprotocol, subprotocolAnswer, link };
}

test("I2: a client offers its subprotocols as they are and with the link, and a name that means neither", () => {
  assert.deepEqual(offerLink([], PLAIN_TOO), ["holdfast.plain", "holdfast.v1"]);
  assert.deepEqual(offerLink(["chat", "log"], PLAIN_TOO), [
    "chat",
    "log",
    "holdfast.v1+chat",
    "holdfast.v1+log",
  ]);
  assert.deepEqual(offerLink([], LINK_ONLY), ["holdfast.v1"]);
  assert.deepEqual(offerLink(["chat"], LINK_ONLY), ["holdfast.v1+chat"]);
});

test("I2: a server chooses the link where it is offered, and the application's subprotocol by its own preference", () => {
  const chosen = { subprotocol: "log", subprotocolAnswer: "holdfast.v1+log", link: 1 };
  assert.deepEqual(answerTo(offerLink(["chat", "log"], PLAIN_TOO), ["log", "chat"], 1), chosen);
  assert.deepEqual(answerTo(offerLink(["chat", "log"], LINK_ONLY), ["log", "chat"], 1), chosen);
  assert.deepEqual(answerTo(offerLink([], PLAIN_TOO), ["log"], 1), {
    subprotocol: null,
    subprotocolAnswer: "holdfast.v1",
    link: 1,
  });
});

test("I2: a server without the link answers as if only the subprotocols were offered", () => {
  assert.deepEqual(answerTo(offerLink(["chat"], PLAIN_TOO), ["chat"], 0), {
    subprotocol: "chat",
    subprotocolAnswer: "chat",
    link: 0,
  });
  assert.deepEqual(answerTo(offerLink([], PLAIN_TOO), ["chat"], 0), {
    subprotocol: null,
    subprotocolAnswer: "holdfast.plain",
    link: 0,
  });
  const none = { subprotocol: null, subprotocolAnswer: null, link: 0 };
  assert.deepEqual(answerTo(offerLink(["chat"], LINK_ONLY), ["chat"], 0), none);
  assert.deepEqual(answerTo(offerLink(["chat"], PLAIN_TOO), ["other"], 1), none);
});

test("I2: selectSubprotocol sees the application's subprotocols only", () => {
  const seen: (readonly string[])[] = [];
  const fields = {
    "Sec-WebSocket-Protocol": ["holdfast.v1+b", "a", "holdfast.v1", "holdfast.plain", "holdfast.v1+"],
  };
  const judgement = judge(LINE, fields, {
    ...OPTIONS,
    link: 1,
    selectSubprotocol: (offered) => {
      seen.push(offered);
      return "b";
    },
  });
  assert.deepEqual(seen, [["b", "a"]]);
  assert(judgement.outcome === "upgrade");
  assert.equal(judgement.subprotocolAnswer, "holdfast.v1+b");
});

test("L10: a client that wants a session offers version 2 before version 1", () => {
  const offer = offerLink(["chat"], { isRequired: false, wantsSession: true });
  assert.deepEqual(offer, ["chat", "holdfast.v2+chat", "holdfast.v1+chat"]);
  assert.deepEqual(offerLink([], { isRequired: true, wantsSession: true }), ["holdfast.v2", "holdfast.v1"]);
});

test("L10: a server with sessions prefers version 2; any other server answers version 1 or the plain name", () => {
  const offer = offerLink(["chat"], { isRequired: false, wantsSession: true });
  assert.equal(answerTo(offer, ["chat"], 2).subprotocolAnswer, "holdfast.v2+chat");
  assert.equal(answerTo(offer, ["chat"], 1).subprotocolAnswer, "holdfast.v1+chat");
  assert.equal(answerTo(offer, ["chat"], 0).subprotocolAnswer, "chat");
  const withoutSession = offerLink(["chat"], PLAIN_TOO);
  assert.equal(answerTo(withoutSession, ["chat"], 2).subprotocolAnswer, "holdfast.v1+chat");
});

test("I2, L10: client and server always reach the same agreement", () => {
  const name = fc.constantFrom("chat", "log", "a+b", "__proto__", "holdfast");
  fc.assert(
    fc.property(
      fc.uniqueArray(name),
      fc.uniqueArray(name),
      fc.constantFrom(0 as const, 1 as const, 2 as const),
      fc.record({ isRequired: fc.boolean(), wantsSession: fc.boolean() }),
      (offered, spoken, newest, settings) => {
        const { subprotocol, subprotocolAnswer, link } = answerTo(
          offerLink(offered, settings),
          spoken,
          newest,
        );
        assert.deepEqual(readLinkAnswer(subprotocolAnswer ?? ""), { subprotocol, link });
        const mayChoose = newest > 0 || !settings.isRequired;
        const expected = mayChoose ? spoken.find((each) => offered.includes(each)) : undefined;
        assert.equal(subprotocol, expected ?? null);
      },
    ),
  );
});
