import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkOffers } from "../../build/browser/link-offers.js";

test("I2: the page tries an unknown server with the offer, and then without it", () => {
  assert.deepEqual(new LinkOffers().offersToTry("a"), [true, false]);
});

test("I2: the page repeats what worked with a server, and only with that server", () => {
  const offers = new LinkOffers();
  offers.onOffered("a", true);
  for (let count = 0; count < 3; count++) offers.onPlain("b");
  assert.deepEqual(
    ["a", "b", "c"].map((server) => offers.offersToTry(server)),
    [[true], [false], [true, false]],
  );
});

test("I2: the page repeats the offer to a server that opened without it after 4, 8 … connections", () => {
  const offers = new LinkOffers();
  const tries = Array.from({ length: 9 }, () => {
    offers.onPlain("a");
    return offers.offersToTry("a").length;
  });
  assert.deepEqual(tries, [1, 1, 1, 2, 1, 1, 1, 2, 1]);
});

test("I2, L1: for a session, the page makes the offer twice at first contact, and in every attempt", () => {
  const offers = new LinkOffers();
  assert.deepEqual(offers.offersToTry("a", true), [true, true, false]);
  for (let count = 0; count < 3; count++) offers.onPlain("a");
  assert.deepEqual(offers.offersToTry("a", true), [true, false]);
  offers.onFailed("a");
  assert.deepEqual(offers.offersToTry("a", true), [true, false]);
  offers.onOffered("a", true);
  assert.deepEqual(offers.offersToTry("a", true), [true]);
});

test("I2: a server that selected another subprotocol of the offer may reject other offers", () => {
  const offers = new LinkOffers();
  offers.onOffered("a", false);
  assert.deepEqual(offers.offersToTry("a"), [true, false]);
});

/** The number of tries of each of this many consecutive failing attempts. */
function triesOfFailures(offers: LinkOffers, attempts: number): number[] {
  return Array.from({ length: attempts }, () => {
    const { length } = offers.offersToTry("a");
    offers.onFailed("a");
    return length;
  });
}

test("I2: the page tries an unreachable server twice on first contact, and then rarely", () => {
  const offers = new LinkOffers();
  assert.deepEqual(triesOfFailures(offers, 10), [2, 1, 1, 1, 2, 1, 1, 1, 2, 1]);
  assert.deepEqual(offers.offersToTry("a"), [true]);
});

test("I2: the page tries a server that has accepted the offer once per attempt; after 16 failures it may be another server", () => {
  const offers = new LinkOffers();
  offers.onOffered("a", true);
  const tries = triesOfFailures(offers, 17);
  assert.deepEqual(tries, [...Array.from({ length: 16 }, () => 1), 2]);
  offers.onPlain("a");
  assert.deepEqual(offers.offersToTry("a"), [false]);
});

test("I2: the page tries a server that opened without the offer in the same way, until four failures", () => {
  const offers = new LinkOffers();
  for (let count = 0; count < 3; count++) offers.onPlain("a");
  assert.deepEqual(triesOfFailures(offers, 5), [1, 1, 1, 1, 2]);
  offers.onOffered("a", true);
  assert.deepEqual(triesOfFailures(offers, 5), [1, 1, 1, 1, 1]);
});

test("I2: the last hundred servers are remembered", () => {
  const offers = new LinkOffers();
  for (let index = 0; index < 101; index++) offers.onOffered(`server ${index}`, true);
  assert.deepEqual(offers.offersToTry("server 0"), [true, false]);
  assert.deepEqual(offers.offersToTry("server 1"), [true]);
  offers.onOffered("server 1", true);
  offers.onOffered("one more", true);
  assert.deepEqual([offers.offersToTry("server 1"), offers.offersToTry("server 2")], [[true], [true, false]]);
});
