import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkOffers } from "../../build/browser/link-offers.js";

test("I2: the page tries an unknown server with the offer, and then without it", () => {
  assert.deepEqual(new LinkOffers().offersToTry("a"), [true, false]);
});

test("I2: the page repeats what worked with a server, and only with that server", () => {
  const offers = new LinkOffers();
  offers.onOpened("a", true);
  offers.onOpened("b", false);
  assert.deepEqual(
    ["a", "b", "c"].map((server) => offers.offersToTry(server)),
    [[true], [false], [true, false]],
  );
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
  offers.onOpened("a", true);
  const tries = triesOfFailures(offers, 17);
  assert.deepEqual(tries, [...Array.from({ length: 16 }, () => 1), 2]);
  offers.onOpened("a", false);
  assert.deepEqual(offers.offersToTry("a"), [false]);
});

test("I2: the page tries a server that opened without the offer in the same way, until four failures", () => {
  const offers = new LinkOffers();
  offers.onOpened("a", false);
  assert.deepEqual(triesOfFailures(offers, 5), [1, 1, 1, 1, 2]);
  offers.onOpened("a", true);
  assert.deepEqual(triesOfFailures(offers, 5), [1, 1, 1, 1, 1]);
});

test("I2: the last hundred servers are remembered", () => {
  const offers = new LinkOffers();
  for (let index = 0; index < 101; index++) offers.onOpened(`server ${index}`, false);
  assert.deepEqual(offers.offersToTry("server 0"), [true, false]);
  assert.deepEqual(offers.offersToTry("server 1"), [false]);
  offers.onOpened("server 1", false);
  offers.onOpened("one more", false);
  assert.deepEqual(
    [offers.offersToTry("server 1"), offers.offersToTry("server 2")],
    [[false], [true, false]],
  );
});
