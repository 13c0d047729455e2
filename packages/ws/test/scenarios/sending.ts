// The arguments of send(), ping(), pong() and close(), and their callbacks.

import { once } from "node:events";
import { promisify } from "node:util";
import { describe, thrownBy, type Scenario, type Socket } from "../trace.js";
import { pair, sent } from "./messages.js";

const deflate = { server: { perMessageDeflate: true }, client: { perMessageDeflate: { threshold: 0 } } };

export const sendingScenarios: Readonly<Record<string, Scenario>> = {
  "callbacks that are null, false, or no function": async (library, stage) => {
    const [client] = await pair(library, stage);
    const callbacks = [null, false, 0, "", 5, true, {}] as unknown as (() => void)[];
    for (const callback of callbacks) {
      const calls = [
        () => client.send("a", {}, callback),
        () => client.send("a", null as never, callback),
        () => client.ping("a", undefined, callback),
        () => client.pong("a", undefined, callback),
      ];
      for (const call of calls) stage.note(thrownBy(call).split(" | ", 1));
    }
  },
  numbers: sent((client) => {
    for (const number of [0, -0, 1.5, Number.NaN]) client.send(number);
  }),
  "unusual memory": sent((client) => {
    client.send(new SharedArrayBuffer(2) as never);
    client.send(new Uint16Array([1, 2]));
    client.send(Buffer.alloc(0));
    client.send([65, 66]);
    client.send(null as never);
  }),
  "options that are undefined": sent((client) => {
    client.send("a", undefined as never, () => undefined);
    client.send("b", {});
    client.send("c", { binary: undefined, compress: undefined });
  }),
  "fragments with options of compression": sent((client) => {
    client.send("a", { fin: false, compress: true });
    client.send("b", { fin: false });
    client.send("c", { fin: true });
    client.send(Buffer.from("d"), { binary: false, compress: true });
    client.send("e", { binary: true, compress: false });
  }, deflate),
  "many fragments": sent((client) => {
    for (let count = 500; count > 0; count--) client.send(Buffer.alloc(10, 65), { fin: count === 1 });
  }),
  "a client that sends before it connects": (library, stage) => {
    const client = new library("ws://127.0.0.1:1");
    client.on("error", () => undefined);
    const calls = [
      () => client.send("a"),
      () => client.send("a", () => undefined),
      () => client.ping(),
      () => client.pong(),
      () => client.pause(),
      () => client.resume(),
    ];
    stage.note(...calls.map(thrownBy), client.bufferedAmount, client.isPaused);
    return new Promise((resolve) => client.on("close", resolve));
  },
  "sends after close()": async (library, stage) => {
    const [client] = await pair(library, stage);
    const send = promisify(client.send.bind(client) as (data: string, done: (error: Error) => void) => void);
    client.close();
    const late = async (): Promise<string> =>
      describe((await send("a").catch((error: unknown) => error)) as Error);
    stage.note(
      await late(),
      thrownBy(() => client.ping()),
      thrownBy(() => client.pong("a")),
    );
    await once(client, "close");
    stage.note(await late(), client.bufferedAmount);
  },
  "the values that callbacks get": async (library, stage) => {
    const [client] = await pair(library, stage);
    const calls: readonly ((done: (...args: unknown[]) => void) => void)[] = [
      (done) => client.send("a", done),
      (done) => client.send("a", { fin: true }, done),
      (done) => client.ping(done),
      (done) => client.ping("a", done as never),
      (done) => client.ping("a", undefined, done),
      (done) => client.pong("a", true, done),
    ];
    for (const call of calls) stage.note(await new Promise((resolve) => call((...args) => resolve(args))));
  },
  "the payloads of ping()": sent((client) => {
    for (const payload of [12, new Uint8Array([65]), [66], Buffer.from("c"), ""]) client.ping(payload);
  }),
  "the heartbeat of the documentation of ws": async (library, stage) => {
    const [, server] = await pair(library, stage);
    const socket = server as Socket & { isAlive?: boolean };
    socket.isAlive = false;
    socket.on("pong", function (this: typeof socket) {
      this.isAlive = true;
    });
    const pong = once(socket, "pong");
    socket.ping(() => undefined);
    await pong;
    return socket.isAlive;
  },
  "a buffer that changes after send()": sent((client) => {
    const buffer = Buffer.from("before");
    client.send(buffer);
    buffer.fill("x");
  }),
  "Blobs, texts, a ping and the Close in order": sent((client) => {
    client.send(new Blob(["1"]));
    client.send("2");
    client.send(new Blob(["3"]), { binary: false });
    client.ping("4");
    client.send(Buffer.from("5"));
    client.close(4000, "6");
  }),
  "binaryType while messages wait": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    client.on("message", (data) => {
      stage.note(data.constructor.name);
      client.binaryType = "fragments";
    });
    client.pause();
    for (let count = 0; count < 2; count++) server.send(Buffer.from("a"));
    await new Promise<void>((resolve) => server.send("sent", () => resolve()));
    client.binaryType = "arraybuffer";
    client.resume();
    server.close();
    await once(client, "close");
  },
  "arguments of close()": async (library, stage) => {
    const [client] = await pair(library, stage);
    const calls = ["1000", null, 999, 1004, 1005, 1006, 1015, 2999, 5000, Number.NaN, 1000.5].map(
      (code) => () => client.close(code as number),
    );
    stage.note(...calls.map(thrownBy), client.readyState);
    stage.note(thrownBy(() => client.close(1000, "é".repeat(62))));
    stage.note(
      thrownBy(() => client.close(1000, {} as string)),
      client.readyState,
    );
  },
  "a raw frame of Sender.frame()": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const { _sender: sender } = server as unknown as {
      _sender: { sendFrame(list: Buffer[], done: (error: unknown) => void): void };
    };
    const message = once(client, "message");
    stage.note(
      await new Promise((resolve) =>
        sender.sendFrame([Buffer.from([0x81, 3]), Buffer.from("hey")], (error) => resolve(error)),
      ),
    );
    stage.note(...((await message) as unknown[]));
  },
  "the event conclude of _receiver": async (library, stage) => {
    const [client, server] = await pair(library, stage, { client: { maxPayload: 5000 } });
    const { _receiver: receiver } = client as unknown as {
      _receiver: NodeJS.EventEmitter & { _maxPayload: number };
    };
    stage.note(receiver._maxPayload);
    receiver.on("conclude", (code, reason) => stage.note("conclude", code, reason, client.readyState));
    server.close(4001, "why");
    await once(client, "close");
  },
  "bufferedAmount of messages to compress": async (library, stage) => {
    const [client, server] = await pair(library, stage, deflate);
    client.send("foo");
    client.send(Buffer.from("ba"));
    stage.note(client.bufferedAmount);
    await new Promise<void>((resolve) => client.send("r", () => resolve()));
    stage.note(client.bufferedAmount);
    server.terminate();
  },
};
