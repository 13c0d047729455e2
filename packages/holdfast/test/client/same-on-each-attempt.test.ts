// Every attempt sends the same headers and subprotocols, even if the application changes or consumes its options.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import {
  Client,
  connect,
  connectPersistent,
  InvalidArgumentError,
  InvalidHeaderError,
  persist,
  reconnect,
  type ClientOptions,
  type HeadersInput,
} from "holdfast";
import {
  activeResources,
  assertNothingLeft,
  RawServer,
  type Head,
  type ResourceCounts,
} from "holdfast-testkit";

const ATTEMPTS = 3;

type Make = () => ClientOptions;

describe("Headers and subprotocols of each attempt", () => {
  let resources: ResourceCounts;
  let server: RawServer;
  let heads: Head[];

  beforeEach(async () => {
    resources = activeResources();
    heads = [];
    // Rejects the tunnel as a proxy, and the upgrade as a server.
    server = await RawServer.start({}, async (peer) => {
      heads.push(await peer.readHead());
      peer.respond(503);
    });
  });
  afterEach(async () => {
    await server.close();
    await assertNothingLeft(resources);
  });

  /** The heads of the requests, for each of the three functions that reconnect. */
  async function* byEachWay(
    make: Make,
    change: () => void = () => undefined,
  ): AsyncIterable<readonly Head[]> {
    const fast = { firstDelay: 1, factor: 1, maxDelay: 5 };
    const stopAfter = () => heads.length < ATTEMPTS;

    const events = persist(new Client(new URL(server.url("/a")), make()), { ...fast, retryable: stopAfter });
    change();
    for await (const event of events) assert.notEqual(event.type, "ready");
    yield heads.splice(0);

    const connections = reconnect(new URL(server.url("/a")), { ...make(), ...fast, retryable: stopAfter });
    change();
    await assert.rejects(connections[Symbol.asyncIterator]().next());
    yield heads.splice(0);

    const link = connectPersistent(new URL(server.url("/a")), { ...make(), ...fast, retryable: stopAfter });
    change();
    await link.closed;
    yield heads.splice(0);
  }

  const HEADERS: readonly (readonly [string, () => HeadersInput])[] = [
    ["an object", () => ({ "X-Token": "secret" })],
    ["pairs", () => [["X-Token", "secret"]]],
    ["Headers", () => new Headers({ "X-Token": "secret" })],
    ["Headers.entries()", () => new Headers({ "X-Token": "secret" }).entries()],
    ["Map.entries()", () => new Map([["X-Token", "secret"]]).entries()],
    [
      "a generator",
      function* () {
        yield ["X-Token", "secret"] as const;
      },
    ],
  ];
  for (const [what, headers] of HEADERS) {
    test(`B12: headers that are ${what} are sent on each attempt`, async () => {
      for await (const seen of byEachWay(() => ({ headers: headers() }))) {
        assert.deepEqual(
          seen.map((head) => head.header("X-Token")),
          ["secret", "secret", "secret"],
        );
      }
    });
  }

  test("B12: subprotocols that are an iterator are offered on each attempt", async () => {
    for (const make of [
      () => ["a", "b"].values(),
      () => new Set(["a", "b"]),
      () =>
        new Map([
          ["a", 1],
          ["b", 2],
        ]).keys(),
    ]) {
      for await (const seen of byEachWay(() => ({ subprotocols: make() }))) {
        assert.deepEqual(
          seen.map((head) => head.header("Sec-WebSocket-Protocol")),
          ["a, b", "a, b", "a, b"],
        );
      }
    }
  });

  test("B12: headers of a proxy that are an iterator are sent on each attempt", async () => {
    const url = `http://127.0.0.1:${server.port}`;
    const make = () => ({ proxy: { url, headers: new Headers({ "X-Tenant": "7" }).entries() } });
    for await (const seen of byEachWay(make)) {
      assert.deepEqual(
        seen.map((head) => [head.startLine.split(" ")[0], head.header("X-Tenant")]),
        [
          ["CONNECT", "7"],
          ["CONNECT", "7"],
          ["CONNECT", "7"],
        ],
      );
    }
  });

  test("B12: later changes by the application affect no attempt", async () => {
    const changes: (() => void)[] = [];
    const make = () => {
      const headers = new Headers({ "X-Token": "secret" });
      const subprotocols = ["a"];
      const list = ["x", "y"];
      changes.push(() => {
        headers.set("X-Token", "another");
        subprotocols.push("holdfast.v1");
        list.pop();
      });
      return { headers: [...headers, ["X-List", list]] as unknown as HeadersInput, subprotocols };
    };
    for await (const seen of byEachWay(make, () => changes.splice(0).forEach((change) => change()))) {
      assert.deepEqual(
        seen.map((head) => [
          head.header("X-Token"),
          head.header("Sec-WebSocket-Protocol"),
          head.header("X-List"),
        ]),
        Array.from({ length: ATTEMPTS }, () => ["secret", "a", "x, y"]),
      );
    }
  });

  test("B12: later changes of a URL object affect no attempt", async () => {
    const url = new URL(server.url("/a"));
    const link = connectPersistent(url, {
      firstDelay: 1,
      factor: 1,
      retryable: () => heads.length < ATTEMPTS,
    });
    url.pathname = "/b";
    await link.closed;
    assert.deepEqual(
      heads.map(({ startLine }) => startLine),
      ["GET /a HTTP/1.1", "GET /a HTTP/1.1", "GET /a HTTP/1.1"],
    );
  });

  test("B12: connect() reads each iterable once, also if it follows a redirect", async () => {
    const redirecting = await RawServer.start({}, async (peer) => {
      heads.push(await peer.readHead());
      peer.respond(302, { headers: { Location: server.url("/there") } });
    });
    const headers = new Headers({ "X-Trace": "7" }).entries();
    const subprotocols = ["a", "b"].values();
    await assert.rejects(connect(redirecting.url(), { headers, subprotocols, redirectHeaders: ["X-Trace"] }));
    await redirecting.close();
    assert.deepEqual(
      heads.map((head) => [head.header("X-Trace"), head.header("Sec-WebSocket-Protocol")]),
      [
        ["7", "a, b"],
        ["7", "a, b"],
      ],
    );
  });

  test("B12: several cookies make one header Cookie, joined by a semicolon (RFC 6265 section 5.4)", async () => {
    const forms: readonly HeadersInput[] = [
      { cookie: ["a=1", "b=2"] },
      [
        ["Cookie", "a=1"],
        ["cookie", "b=2"],
      ],
      { Cookie: ["a=1", "", "b=2"] },
    ];
    for (const headers of forms) await assert.rejects(connect(server.url(), { headers }));
    for (const { fields } of heads) {
      const cookies = fields.filter(([name]) => name.toLowerCase() === "cookie");
      assert.deepEqual(
        cookies.map(([, value]) => value),
        ["a=1; b=2"],
      );
    }
    assert.equal(heads.length, forms.length);
  });

  test("B12: an iterable that throws or never ends, and invalid headers are clear errors before any I/O", async () => {
    function* broken(): Generator<readonly [string, string]> {
      yield ["X-Token", "secret"];
      throw new Error("no more");
    }
    function* endless(): Generator<readonly [string, string]> {
      for (;;) yield ["X-Token", "secret"];
    }
    async function* late(): AsyncGenerator<readonly [string, string]> {
      yield ["X-Token", "secret"];
    }
    for (const make of [broken, endless]) {
      await assert.rejects(connect(server.url(), { headers: make() }), InvalidArgumentError);
      assert.throws(() => new Client(server.url(), { headers: make() }), InvalidArgumentError);
      assert.throws(() => connectPersistent(server.url(), { headers: make() }), InvalidArgumentError);
      await assert.rejects(connect(server.url(), { subprotocols: make() as never }), InvalidArgumentError);
    }
    for (const make of [late, () => Promise.resolve({ "X-Token": "secret" })]) {
      const headers = make() as unknown as HeadersInput;
      await assert.rejects(connect(server.url(), { headers }), InvalidHeaderError);
      const link = connectPersistent(server.url(), { headers });
      await link.closed;
      assert(link.status.state === "closed" && link.status.error instanceof InvalidHeaderError);
    }
    assert.deepEqual(heads, []);
  });
});
