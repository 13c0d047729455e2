import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { runInNewContext } from "node:vm";
import { broadcast, connect, connectPersistent, serve, type Server } from "holdfast";
import { activeResources, assertNothingLeft, type ResourceCounts } from "holdfast-testkit";

/** Evaluates an expression in a realm with its own classes. */
const elsewhere = (expression: string): never => runInNewContext(expression) as never;

const SENT: Readonly<
  Record<string, readonly [make: () => ArrayBuffer | ArrayBufferView, bytes: readonly number[]]>
> = {
  "an ArrayBuffer": [() => elsewhere("new Uint8Array([1, 2, 3]).buffer"), [1, 2, 3]],
  "an empty ArrayBuffer": [() => elsewhere("new ArrayBuffer(0)"), []],
  "a SharedArrayBuffer": [() => elsewhere("new SharedArrayBuffer(2)"), [0, 0]],
  "a Uint8Array": [() => elsewhere("new Uint8Array([4, 5])"), [4, 5]],
  "an empty Uint8Array": [() => elsewhere("new Uint8Array(0)"), []],
  "a Uint16Array": [() => elsewhere("new Uint16Array([0x0201])"), [1, 2]],
  "a DataView": [() => elsewhere("new DataView(new Uint8Array([6, 7, 8]).buffer, 1)"), [7, 8]],
  "an empty DataView": [() => elsewhere("new DataView(new ArrayBuffer(0))"), []],
  "a length-tracking view that shrank to nothing": [
    () => {
      const buffer = resizable(8);
      const view = new Uint8Array(buffer, 4);
      buffer.resize(4);
      return view;
    },
    [],
  ],
};

const REFUSED: Readonly<Record<string, () => unknown>> = {
  "a typed array over a buffer that shrank": () => shrunk((buffer) => new Uint8Array(buffer, 4, 4)),
  "a Float64Array over a buffer that shrank": () => shrunk((buffer) => new Float64Array(buffer, 0, 1)),
  "a DataView over a buffer that shrank": () => shrunk((buffer) => new DataView(buffer, 4, 4)),
  "a detached ArrayBuffer": () => detached(new ArrayBuffer(8)),
  "a view of a detached buffer": () => {
    const view = new Uint8Array(8);
    detached(view.buffer);
    return view;
  },
  "a view of another realm, detached": () => {
    const view = elsewhere("new Uint8Array(8)") as Uint8Array<ArrayBuffer>;
    detached(view.buffer);
    return view;
  },
  "an object that claims to be a buffer": () => ({ [Symbol.toStringTag]: "ArrayBuffer", byteLength: 3 }),
  "a revoked Proxy": () => {
    const { proxy, revoke } = Proxy.revocable(new ArrayBuffer(1), {});
    revoke();
    return proxy;
  },
};

interface ResizableBuffer extends ArrayBuffer {
  resize(size: number): void;
}

/** Newer than the type definitions. */
function resizable(size: number): ResizableBuffer {
  const Resizable = ArrayBuffer as unknown as new (size: number, options: object) => ResizableBuffer;
  return new Resizable(size, { maxByteLength: 16 });
}

function shrunk(makeView: (buffer: ArrayBuffer) => ArrayBufferView): ArrayBufferView {
  const buffer = resizable(8);
  const view = makeView(buffer);
  buffer.resize(2);
  return view;
}

function detached(buffer: ArrayBuffer): ArrayBuffer {
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

describe("Values of another realm", () => {
  let resources: ResourceCounts;
  let server: Server;

  beforeEach(async () => {
    resources = activeResources();
    server = await serve((connection) => connection.forEach((message) => connection.send(message)), {
      host: "127.0.0.1",
    });
  });
  afterEach(async () => {
    await server.close();
    await assertNothingLeft(resources);
  });

  for (const [name, [make, bytes]] of Object.entries(SENT)) {
    test(`E5: ${name} is sent, as a message, a fragment and a broadcast`, async () => {
      const connection = await connect(server.url);
      await connection.send(make());
      await connection.send([make()]);
      broadcast([connection], make());
      for (let count = 0; count < 3; count++)
        assert.deepEqual(await connection.recv(), new Uint8Array(bytes));
      if (bytes.length > 0) assert.equal(typeof (await connection.ping(make())), "number");
      await connection.close();
    });
  }

  for (const [name, make] of Object.entries(REFUSED)) {
    test(`E5: ${name} is InvalidArgumentError, and nothing is lost`, async () => {
      const connection = await connect(server.url);
      const sends = [
        () => connection.send(make() as ArrayBuffer),
        () => connection.ping(make() as ArrayBuffer),
        async () => broadcast([connection], make() as ArrayBuffer),
      ];
      for (const send of sends) await assert.rejects(send, { code: "ERR_HOLDFAST_INVALID_ARGUMENT" });
      await connection.send("on");
      assert.equal(await connection.recv(), "on");
      await connection.close();
    });
  }

  test("B12: a URL, headers and subprotocols of another realm open a connection", async () => {
    const url = runInNewContext("new URL(href)", { URL: class extends URL {}, href: server.url }) as URL;
    const headers = elsewhere('new Map([["X-A", "1"]])') as Iterable<[string, string]>;
    const connection = await connect(url, { headers, subprotocols: elsewhere("[]") });
    assert.equal(connection.request.headers.get("X-A"), "1");
    await connection.close();
    const persistent = connectPersistent(elsewhere(`(() => Promise.resolve(${JSON.stringify(server.url)}))`));
    await persistent.send("x");
    assert.equal(await persistent.recv(), "x");
    await persistent.close();
  });

  test("E5: a signal, an iterable and a promise of another realm work", async () => {
    const connection = await connect(server.url);
    await connection.send(elsewhere('["a", "b"]'));
    await connection.send(elsewhere('(async function* () { yield "c"; })()'));
    assert.deepEqual([await connection.recv(), await connection.recv()], ["ab", "c"]);

    const signal = foreignSignal();
    const receiving = connection.recv({ signal: signal as unknown as AbortSignal });
    signal.abort("enough");
    await receiving.then(
      () => assert.fail("resolved"),
      (reason: unknown) => assert.equal(reason, "enough"),
    );
    await assert.rejects(connection.recv({ signal: {} as AbortSignal }), {
      code: "ERR_HOLDFAST_INVALID_ARGUMENT",
    });
    await connection.close();
  });
});

/** Like jsdom's: an object with the shape of an AbortSignal and its own class. */
function foreignSignal() {
  return new (class extends EventTarget {
    aborted = false;
    reason: unknown = undefined;
    readonly [Symbol.toStringTag] = "AbortSignal";
    throwIfAborted(): void {
      if (this.aborted) throw new Error(String(this.reason));
    }
    abort(reason: unknown): void {
      this.aborted = true;
      this.reason = reason;
      this.dispatchEvent(new Event("abort"));
    }
  })();
}
