import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { offerLink, readLinkAnswer } from "../../../build/shared/link-subprotocol.js";
import { judge, LINE, OPTIONS } from "./judge.js";

/** The answer of a server with these `subprotocols` to an offer. */
function answerTo(offer: readonly string[], subprotocols: readonly string[], linkProtocol: boolean) {
  const fields = { "Sec-WebSocket-Protocol": offer };
  const judgement = judge(LINE, fields, { ...OPTIONS, subprotocols, linkProtocol });
  assert.equal(judgement.outcome, "upgrade");
  const { subprotocol, subprotocolAnswer, isLink } = judgement;
  return { subprotocol, subprotocolAnswer, isLink };
}

test("I2: a client offers its subprotocols as they are and with the link, and a name that means neither", () => {
  assert.deepEqual(offerLink([], false), ["holdfast.plain", "holdfast.v1"]);
  assert.deepEqual(offerLink(["chat", "log"], false), ["chat", "log", "holdfast.v1+chat", "holdfast.v1+log"]);
  assert.deepEqual(offerLink([], true), ["holdfast.v1"]);
  assert.deepEqual(offerLink(["chat"], true), ["holdfast.v1+chat"]);
});

test("I2: a server chooses the link where it is offered, and the application's subprotocol by its own preference", () => {
  const chosen = { subprotocol: "log", subprotocolAnswer: "holdfast.v1+log", isLink: true };
  assert.deepEqual(answerTo(offerLink(["chat", "log"], false), ["log", "chat"], true), chosen);
  assert.deepEqual(answerTo(offerLink(["chat", "log"], true), ["log", "chat"], true), chosen);
  assert.deepEqual(answerTo(offerLink([], false), ["log"], true), {
    subprotocol: null,
    subprotocolAnswer: "holdfast.v1",
    isLink: true,
  });
});

test("I2: a server without the link answers as if only the subprotocols were offered", () => {
  assert.deepEqual(answerTo(offerLink(["chat"], false), ["chat"], false), {
    subprotocol: "chat",
    subprotocolAnswer: "chat",
    isLink: false,
  });
  assert.deepEqual(answerTo(offerLink([], false), ["chat"], false), {
    subprotocol: null,
    subprotocolAnswer: "holdfast.plain",
    isLink: false,
  });
  const none = { subprotocol: null, subprotocolAnswer: null, isLink: false };
  assert.deepEqual(answerTo(offerLink(["chat"], true), ["chat"], false), none);
  assert.deepEqual(answerTo(offerLink(["chat"], false), ["other"], true), none);
});

test("I2: selectSubprotocol sees the application's subprotocols only", () => {
  const seen: (readonly string[])[] = [];
  const fields = {
    "Sec-WebSocket-Protocol": ["holdfast.v1+b", "a", "holdfast.v1", "holdfast.plain", "holdfast.v1+"],
  };
  const judgement = judge(LINE, fields, {
    ...OPTIONS,
    linkProtocol: true,
    selectSubprotocol: (offered) => {
      seen.push(offered);
      return "b";
    },
  });
  assert.deepEqual(seen, [["b", "a"]]);
  assert(judgement.outcome === "upgrade");
  assert.equal(judgement.subprotocolAnswer, "holdfast.v1+b");
});

test("I2: client and server always reach the same agreement", () => {
  const name = fc.constantFrom("chat", "log", "a+b", "__proto__", "holdfast");
  fc.assert(
    fc.property(
      fc.uniqueArray(name),
      fc.uniqueArray(name),
      fc.boolean(),
      fc.boolean(),
      (offered, spoken, linkProtocol, isRequired) => {
        const { subprotocol, subprotocolAnswer, isLink } = answerTo(
          offerLink(offered, isRequired),
          spoken,
          linkProtocol,
        );
        assert.deepEqual(readLinkAnswer(subprotocolAnswer ?? ""), { subprotocol, isLink });
        const mayChoose = linkProtocol || !isRequired;
        const expected = mayChoose ? spoken.find((each) => offered.includes(each)) : undefined;
        assert.equal(subprotocol, expected ?? null);
      },
    ),
  );
});
