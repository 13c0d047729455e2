import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { Duplex } from "node:stream";
import { describe, test } from "node:test";
import { FakeClock, SeededRandom } from "holdfast-testkit";
import { AddressRace } from "../../build/client/dial/address-race.js";
import { interleaveFamilies } from "../../build/client/dial/lookup.js";
import { openError } from "../../build/client/open-failure.js";
import { Runtime } from "../../build/connection/runtime.js";

/** A socket that connects or fails on command. */
class ScriptedSocket extends Duplex {
  override _read(): void {
    // Never receives data.
  }
  override _write(_chunk: unknown, _encoding: string, callback: () => void): void {
    callback();
  }
}

type Outcome = { readonly after: number } & ({ readonly code: string } | { readonly connects: true });

const connects = (after: number): Outcome => ({ after, connects: true });
const fails = (after: number, code: string): Outcome => ({ after, code });
const MUTE: Outcome = connects(Infinity);

interface Scene {
  readonly clock: FakeClock;
  /** When each address was tried. */
  readonly startedAt: Map<string, number>;
  readonly sockets: Map<string, ScriptedSocket>;
  readonly race: AddressRace<ScriptedSocket, string>;
}

function scene(outcomes: Readonly<Record<string, Outcome>>): Scene {
  const clock = new FakeClock();
  const startedAt = new Map<string, number>();
  const sockets = new Map<string, ScriptedSocket>();
  const names = new Map<ScriptedSocket, string>();
  const race = new AddressRace<ScriptedSocket, string>({
    addresses: Object.keys(outcomes),
    runtime: new Runtime(clock, new SeededRandom()),
    open: (address) => {
      const socket = new ScriptedSocket();
      socket.on("error", () => undefined);
      startedAt.set(address, clock.now());
      sockets.set(address, socket);
      names.set(socket, address);
      const outcome = outcomes[address];
      if (outcome === undefined) throw new Error(`no outcome for ${address}`);
      if (outcome.after < Infinity) {
        clock.setTimer(outcome.after, () => {
          if (socket.destroyed) return;
          if ("connects" in outcome) socket.emit("connect");
          else socket.destroy(Object.assign(new Error(`connect ${outcome.code}`), { code: outcome.code }));
        });
      }
      return socket;
    },
    discard: (socket) => socket.destroy(),
    onConnected: (socket) => `${names.get(socket)} at ${clock.now()}`,
    closedEarly: () => new Error("closed"),
  });
  return { clock, startedAt, sockets, race };
}

/** Counts the race's listeners; streams have their own, too. */
function listeners(socket: ScriptedSocket | undefined): number {
  return (["connect", "close"] as const).reduce((sum, name) => sum + (socket?.listenerCount(name) ?? 0), 0);
}

async function run({ clock, race }: Scene): Promise<unknown> {
  const running = race.run();
  running.catch(() => undefined);
  await clock.advanceAsync(20_000);
  return running;
}

describe("A race of addresses", () => {
  const opened: readonly (readonly [name: string, outcomes: readonly Outcome[], result: string])[] = [
    ["one slow address", [connects(900)], "a0 at 900"],
    ["[slow, refused]", [connects(900), fails(1, "ECONNREFUSED")], "a0 at 900"],
    ["[slow, unreachable]", [connects(900), fails(40, "EHOSTUNREACH")], "a0 at 900"],
    ["[slow, mute]", [connects(900), MUTE], "a0 at 900"],
    ["[mute, fast]", [MUTE, connects(3)], "a1 at 253"],
    ["[mute, mute, fast]", [MUTE, MUTE, connects(3)], "a2 at 503"],
    ["[refused, fast]: at once", [fails(2, "ECONNREFUSED"), connects(3)], "a1 at 5"],
    ["[fast, fast]", [connects(3), connects(1)], "a0 at 3"],
    ["[slow, faster]", [connects(900), connects(300)], "a1 at 550"],
    ["[slow, refused, mute]", [connects(2_000), fails(10, "ECONNREFUSED"), MUTE], "a0 at 2000"],
  ];
  for (const [name, outcomes, result] of opened) {
    test(`B11: ${name} opens (RFC 8305 section 5): ${result}`, async () => {
      const set = scene(Object.fromEntries(outcomes.map((outcome, index) => [`a${index}`, outcome])));
      assert.equal(await run(set), result);
      assert.equal(set.clock.pendingTimers, 0);
      for (const [address, socket] of set.sockets) {
        assert.equal(socket.destroyed, !result.startsWith(address), address);
        assert.equal(listeners(socket), 0, `listeners of ${address}`);
      }
    });
  }

  test("B11: a later address waits 250 ms, and counts from the start of the one before", async () => {
    const set = scene({ a: MUTE, b: fails(100, "ECONNREFUSED"), c: MUTE, d: connects(0) });
    await run(set);
    assert.deepEqual([...set.startedAt.values()], [0, 250, 350, 600]);
  });

  test("B11: a single address sets no timer", () => {
    const { clock, race } = scene({ a: MUTE });
    void race.run();
    assert.equal(clock.pendingTimers, 0);
  });

  test("B11: when all fail, the error lists each address with its reason, and its failure is that of the attempt that reached the latest step", async () => {
    const set = scene({
      "10.0.0.1:80": fails(5_000, "ETIMEDOUT"),
      "10.0.0.2:80": fails(10, "ECONNREFUSED"),
      "[::1]:80": fails(1, "ENETUNREACH"),
    });
    const error: unknown = await run(set).catch((reason: unknown) => reason);
    assert(error instanceof AggregateError);
    const { failure, message } = openError(error, "connect", "ws://name.test/");
    assert.deepEqual(
      { failure, message },
      {
        failure: "refused",
        message:
          "Nothing listens at ws://name.test/: 10.0.0.1:80: connect ETIMEDOUT; 10.0.0.2:80: connect ECONNREFUSED; [::1]:80: connect ENETUNREACH.",
      },
    );
    for (const socket of set.sockets.values()) assert.equal(listeners(socket), 0);
  });

  test("B11: a stopped race starts no further attempts, and does not settle", async () => {
    const set = scene({ a: fails(100, "ECONNREFUSED"), b: connects(1) });
    let isSettled = false;
    void set.race.run().finally(() => (isSettled = true));
    set.race.stop();
    await set.clock.advanceAsync(1_000);
    assert.deepEqual([set.startedAt.size, isSettled, listeners(set.sockets.get("a"))], [1, false, 0]);
  });

  test("B11: the progress of each attempt, for the message of a timeout", async () => {
    const set = scene({ "10.0.0.1:1": MUTE, "10.0.0.2:1": fails(5, "ECONNREFUSED"), "10.0.0.3:1": MUTE });
    void set.race.run();
    await set.clock.advanceAsync(300);
    assert.equal(
      set.race.describe(),
      "10.0.0.1:1: no answer yet; 10.0.0.2:1: connect ECONNREFUSED; 10.0.0.3:1: no answer yet",
    );
  });

  test("B11: each attempt starts in the async context of the caller", async () => {
    const storage = new AsyncLocalStorage<string>();
    const clock = new FakeClock();
    const contexts: unknown[] = [];
    const start = () => {
      const race = new AddressRace<ScriptedSocket, null>({
        addresses: ["a", "b"],
        runtime: new Runtime(clock, new SeededRandom()),
        open: () => {
          contexts.push(storage.getStore());
          return new ScriptedSocket();
        },
        discard: () => undefined,
        onConnected: () => null,
        closedEarly: () => new Error("closed"),
      });
      void race.run();
    };
    storage.run("mine", start);
    await storage.run("another", () => clock.advanceAsync(300));
    assert.deepEqual(contexts, ["mine", "mine"]);
  });

  test("B11: the address families alternate, beginning with the resolver's first one (RFC 8305 section 4)", () => {
    assert.deepEqual(interleaveFamilies(["::1", "::2", "::3", "1.1.1.1", "2.2.2.2"]), [
      "::1",
      "1.1.1.1",
      "::2",
      "2.2.2.2",
      "::3",
    ]);
    assert.deepEqual(interleaveFamilies(["1.1.1.1", "2.2.2.2", "::1"]), ["1.1.1.1", "::1", "2.2.2.2"]);
    assert.deepEqual(interleaveFamilies(["1.1.1.1"]), ["1.1.1.1"]);
  });
});
