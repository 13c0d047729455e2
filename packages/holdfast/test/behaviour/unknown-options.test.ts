import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import * as holdfast from "../../build/index.js";
import * as browser from "../../build/browser.js";

const {
  attach,
  basicAuth,
  broadcast,
  Client,
  connect,
  connectInWorker,
  connectPersistent,
  persist,
  reconnect,
} = holdfast;
const { fileStore, serve, heartbeat, keepalive, withHeartbeat } = holdfast;

/** Nothing listens at this URL, and no test may connect to it. */
const URL = "ws://127.0.0.1:1";

/** Options as a caller without types passes them. */
const odd = (options: object) => options as never;

function refusal(owner: string, name: string, remedy: string) {
  return (error: unknown) => {
    assert.ok(error instanceof holdfast.InvalidArgumentError, String(error));
    assert.equal(error.message, `Expected only options of ${owner}, got \`${name}\`. ${remedy}`);
    return true;
  };
}

describe("options that do not exist", () => {
  const clients: [string, (options: never) => unknown][] = [
    ["connect()", (options) => connect(URL, options)],
    ["connectInWorker()", (options) => connectInWorker(URL, options)],
    ["Client", (options) => new Client(URL, options)],
    ["reconnect()", (options) => reconnect(URL, options)],
    ["connectPersistent()", (options) => connectPersistent(URL, options)],
    ["connect()", (options) => browser.connect(URL, options)],
    ["connectInWorker()", (options) => browser.connectInWorker(URL, options)],
    ["Client", (options) => new browser.Client(URL, options)],
    ["reconnect()", (options) => browser.reconnect(URL, options)],
    ["connectPersistent()", (options) => browser.connectPersistent(URL, options)],
  ];
  for (const [index, [owner, call]] of clients.entries()) {
    test(`G9: ${owner} rejects them with a suggestion${index < 5 ? "" : ", in a browser"}`, async () => {
      const attempt = async (options: object) => call(odd(options));
      const expected = refusal(owner, "pingIntervall", "Did you mean `pingInterval`?");
      await assert.rejects(attempt({ pingIntervall: 5 }), expected);
      await assert.rejects(attempt({ qqqqqqqqqqqqqqq: 5 }), refusal(owner, "qqqqqqqqqqqqqqq", "Remove it."));
      await assert.rejects(attempt({ maxQueue: { message: 5 } }), {
        message: "Expected only options of `maxQueue`, got `message`. Did you mean `messages`?",
      });
    });
  }

  test("G9: the second argument of other libraries, a protocol or a list of them, is not ignored", async () => {
    for (const [owner, call] of clients) {
      for (const [given, got] of [
        ["chat", '"chat" (string)'],
        [["chat"], "an array"],
      ] as const) {
        await assert.rejects(async () => call(given as never), {
          name: "InvalidArgumentError",
          message: `Expected the options of ${owner} to be an object, got ${got}. Pass protocols as \`{ subprotocols: […] }\`.`,
        });
      }
    }
  });

  test("L9: a session needs connectPersistent(): every other client says so", async () => {
    for (const [owner, call] of clients) {
      if (owner === "connectPersistent()") continue;
      const attempt = async (): Promise<unknown> => call(odd({ session: true }));
      await assert.rejects(
        attempt(),
        refusal(owner, "session", "Use connectPersistent(), which resumes sessions."),
      );
    }
  });

  test("G9: servers reject them, and suggest replacements for those of ws", async () => {
    const httpServer = createServer();
    const handler = () => undefined;
    const calls: [string, (options: never) => unknown][] = [
      ["serve()", (options) => serve(handler, options)],
      ["attach()", (options) => attach(httpServer, handler, options)],
    ];
    for (const [owner, call] of calls) {
      const attempt = async (options: object) => call(odd(options));
      const foreign = {
        verifyClient: "Use `onRequest`: a Response that it returns refuses the client.",
        maxPayload: "Use `maxMessageSize`.",
        perMessageDeflate: "Use `compression`.",
        origin: "Use `origins`.",
        handleProtocols: "Use `selectSubprotocol`, or `subprotocols`.",
        noServer: "Use attach() with your HTTP server.",
        clientTracking: "Remove it: `server.connections` is always there.",
        originss: "Did you mean `origins`?",
      };
      for (const [name, remedy] of Object.entries(foreign)) {
        await assert.rejects(attempt({ [name]: () => false }), refusal(owner, name, remedy));
      }
    }
    assert.equal(httpServer.listenerCount("upgrade"), 0);
  });

  test("G9: clients suggest replacements for the options of ws and other libraries", async () => {
    const foreign = {
      handshakeTimeout: "Use `openTimeout`.",
      followRedirects: "Use `maxRedirects`.",
      rejectUnauthorized: "Put it into the option `tls`.",
      maxReconnectionDelay: "Use `maxDelay`.",
    };
    for (const [name, remedy] of Object.entries(foreign)) {
      await assert.rejects(connect(URL, odd({ [name]: 1 })), refusal("connect()", name, remedy));
    }
  });

  test("G9: methods, recipes and the parts of options reject them", async () => {
    const server = await serve(() => undefined);
    const client = await connect(server.url);
    const link = connectPersistent(server.url);
    const typo = odd({ signall: 1 });
    const calls: [string, () => unknown][] = [
      ["send()", () => client.send("a", typo)],
      ["recv()", () => client.recv(typo)],
      ["recvStream()", () => client.recvStream(typo)],
      ["forEach()", () => client.forEach(() => undefined, typo)],
      ["ping()", () => client.ping(null, typo)],
      ["send()", () => link.send("a", typo)],
      ["recv()", () => link.recv(typo)],
      ["forEach()", () => link.forEach(() => undefined, typo)],
      ["close()", () => server.close(typo)],
      ["persist()", () => persist(new Client(URL), typo)],
      ["connect()", () => new Client(URL).connect(typo)],
      ["heartbeat()", () => heartbeat(client, typo)],
      ["heartbeat()", () => withHeartbeat(client, typo, () => undefined)],
      ["keepalive()", () => keepalive(client, typo)],
    ];
    for (const [owner, call] of calls) {
      await assert.rejects(async () => call(), refusal(owner, "signall", "Did you mean `signal`?"));
    }
    const wrong: [string, string, () => unknown][] = [
      ["broadcast()", "exept", () => broadcast([], "a", odd({ exept: null }))],
      ["fileStore()", "folder", () => fileStore(odd({ directory: "a", folder: "b" }))],
      ["basicAuth()", "users", () => basicAuth(odd({ users: "a", password: "b" }))],
      ["`compression`", "levels", () => connect(URL, { compression: odd({ levels: 1 }) })],
      ["`proxy`", "header", () => connect(URL, { proxy: odd({ url: "http://localhost", header: {} }) })],
      ["`queue`", "byte", () => connectPersistent(URL, { queue: odd({ byte: 5 }) })],
    ];
    for (const [owner, name, call] of wrong) {
      await assert.rejects(
        async () => call(),
        (error: Error) => error.message.startsWith(`Expected only options of ${owner}, got \`${name}\`.`),
      );
    }
    assert.equal(client.state, "open");
    await Promise.all([link.close(), client.close()]);
    await server.close();
  });

  test("G9: options that are not an object are rejected by every function that takes some", async () => {
    const server = await serve(() => undefined);
    const client = await connect(server.url);
    const link = connectPersistent(server.url);
    const httpServer = createServer();
    const handler = () => undefined;
    const calls: [string, (options: never) => unknown][] = [
      ...clients,
      ["serve()", (options) => serve(handler, options)],
      ["attach()", (options) => attach(httpServer, handler, options)],
      ["send()", (options) => client.send("a", options)],
      ["recv()", (options) => client.recv(options)],
      ["forEach()", (options) => client.forEach(handler, options)],
      ["ping()", (options) => client.ping(null, options)],
      ["send()", (options) => link.send("a", options)],
      ["recv()", (options) => link.recv(options)],
      ["forEach()", (options) => link.forEach(handler, options)],
      ["close()", (options) => server.close(options)],
      ["broadcast()", (options) => broadcast([], "a", options)],
      ["persist()", (options) => persist(new Client(URL), options)],
      ["heartbeat()", (options) => heartbeat(client, options)],
      ["heartbeat()", (options) => withHeartbeat(client, options, handler)],
      ["keepalive()", (options) => keepalive(client, options)],
      ["basicAuth()", (options) => basicAuth(options)],
      ["fileStore()", (options) => fileStore(options)],
    ];
    const values: [value: unknown, shown: string][] = [
      [null, "null"],
      [5, "5 (number)"],
      ["x", '"x" (string)'],
      [() => true, "a function"],
    ];
    for (const [owner, call] of calls) {
      for (const [value, shown] of values) {
        await assert.rejects(
          async () => call(value as never),
          (error: Error) => {
            assert.equal(error.name, "InvalidArgumentError");
            // A remedy may follow.
            const expected = `Expected the options of ${owner} to be an object, got ${shown}.`;
            assert.equal(error.message.slice(0, expected.length), expected);
            return true;
          },
        );
      }
    }
    const required: [string, () => unknown][] = [
      ["heartbeat()", () => heartbeat(client, undefined as never)],
      ["keepalive()", () => keepalive(client, undefined as never)],
      ["basicAuth()", () => basicAuth(undefined as never)],
    ];
    for (const [owner, call] of required) {
      await assert.rejects(async () => call(), {
        name: "InvalidArgumentError",
        message: `Expected the options of ${owner} to be an object, got undefined.`,
      });
    }
    for (const value of [undefined, null, URL, {}, client]) {
      await assert.rejects(async () => persist(value as never), {
        name: "InvalidArgumentError",
        message: /^Expected `client` to be a Client, got /,
      });
    }
    assert.equal(client.state, "open");
    await Promise.all([link.close(), client.close()]);
    await server.close();
  });

  test("G9: undefined values, fields of class instances, and names in Object.prototype are ignored", async () => {
    class Settings {
      pingInterval = 5_000;
      name = "of the application";
    }
    const server = await serve(() => undefined, odd(new Settings()));
    for (const options of [
      new Settings(),
      Object.create({ unknown: undefined, pingInterval: 5_000 }) as object,
      { unknown: undefined, [Symbol("unknown")]: 1 },
      Object.assign(Object.create(null) as object, { pingInterval: 5_000 }),
    ]) {
      await (await connect(server.url, odd(options))).close();
    }
    // As a library of the application may do.
    Object.defineProperty(Object.prototype, "polyfilled", { value: 1, enumerable: true, configurable: true });
    try {
      await (await connect(server.url, { pingInterval: 5_000 })).close();
    } finally {
      delete (Object.prototype as { polyfilled?: unknown }).polyfilled;
    }
    await server.close();
  });

  test("G9: inherited names are rejected, since inherited values count", async () => {
    const verifyClient = (): boolean => false;
    await assert.rejects(
      serve(() => undefined, odd(Object.create({ verifyClient }) as object)),
      refusal("serve()", "verifyClient", "Use `onRequest`: a Response that it returns refuses the client."),
    );
    const layers = Object.assign(Object.create({ pingIntervall: 5 }) as object, { pingTimeout: 5 });
    await assert.rejects(
      connect(URL, odd(layers)),
      refusal("connect()", "pingIntervall", "Did you mean `pingInterval`?"),
    );
  });
});
