import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkOffers } from "../../dist/browser/link-offers.js";

test("I2: a server that is not known is asked with the offer, and then without it", () => {
  assert.deepEqual(new LinkOffers().tries("a"), [true, false]);
});

test("I2: what worked with a server is what is tried with it, and with no other", () => {
  const offers = new LinkOffers();
  offers.onOpened("a", true);
  offers.onOpened("b", false);
  assert.deepEqual(
    ["a", "b", "c"].map((server) => offers.tries(server)),
    [[true], [false], [true, false]],
  );
});

test("I2: three failures in a row bring a server into doubt, and a success ends the row", () => {
  for (const acceptsOffer of [true, false]) {
    const offers = new LinkOffers();
    offers.onOpened("a", acceptsOffer);
    offers.onFailed("a");
    offers.onFailed("a");
    offers.onOpened("a", acceptsOffer);
    offers.onFailed("a");
    offers.onFailed("a");
    assert.deepEqual(offers.tries("a"), [acceptsOffer]);
    offers.onFailed("a");
    assert.deepEqual(offers.tries("a"), [true, false]);
  }
});

test("I2: the last hundred servers are remembered", () => {
  const offers = new LinkOffers();
  for (let index = 0; index < 101; index++) offers.onOpened(`server ${index}`, false);
  assert.deepEqual(offers.tries("server 0"), [true, false]);
  assert.deepEqual(offers.tries("server 1"), [false]);
  offers.onOpened("server 1", false);
  offers.onOpened("one more", false);
  assert.deepEqual([offers.tries("server 1"), offers.tries("server 2")], [[false], [true, false]]);
});
