import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, connectPersistent, InvalidArgumentError, NegotiationError, serve } from "holdfast";
import { activeResources, assertNothingLeft, eventually } from "holdfast-testkit";

for (const http2 of [false, true]) {
  test(`B3: requireSubprotocol fails the handshake where the server selects none (HTTP/${http2 ? 2 : 1})`, async () => {
    const resources = activeResources();
    const server = await serve(() => undefined, { host: "127.0.0.1", http2, subprotocols: ["log"] });
    const options = { http2, subprotocols: ["chat", "v2"] };
    const open = await connect(server.url, options);
    assert.equal(open.subprotocol, null);
    await open.close();
    await assert.rejects(connect(server.url, { ...options, requireSubprotocol: true }), (error) => {
      assert(error instanceof NegotiationError, String(error));
      assert.equal(
        error.message,
        'Expected the server to select one of "chat" and "v2" (requireSubprotocol), got none. Have the server speak one of them, or leave out `requireSubprotocol`.',
      );
      return true;
    });
    const agreed = await connect(server.url, {
      http2,
      subprotocols: ["chat", "log"],
      requireSubprotocol: true,
    });
    assert.equal(agreed.subprotocol, "log");
    await agreed.close();
    await eventually(() => server.connections.size === 0, "the server's ends", 30_000);
    await server.close();
    await assertNothingLeft(resources, { timeout: 30_000 });
  });
}

test("B3: requireSubprotocol without a subprotocol to request is refused before any I/O", async () => {
  for (const subprotocols of [undefined, []]) {
    await assert.rejects(
      connect("ws://127.0.0.1:9/", { subprotocols, requireSubprotocol: true }),
      InvalidArgumentError,
    );
  }
  await assert.rejects(
    connect("ws://127.0.0.1:9/", { requireSubprotocol: "chat" as never }),
    InvalidArgumentError,
  );
  // A function returns them later.
  const link = connectPersistent("ws://127.0.0.1:9/", { subprotocols: () => [], requireSubprotocol: true });
  await link.closed;
  assert(link.status.state === "closed" && link.status.error instanceof InvalidArgumentError);
});
