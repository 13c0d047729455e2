// Messages, pings and pongs in both directions.

import { once } from "node:events";
import { thrownBy, urlOf, type Library, type Scenario, type Socket, type Stage } from "../trace.js";

/** Opens a pair; resolves with both ends once the client is open. */
export async function pair(
  library: Library,
  stage: Stage,
  { server: serverOptions = {}, client: clientOptions = {} }: { server?: object; client?: object } = {},
): Promise<readonly [client: Socket, server: Socket]> {
  const server = await stage.serve(library, serverOptions);
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const client = new library(urlOf(server), clientOptions);
  await once(client, "open");
  return [client, (await accepted)[0]];
}

/** Sends what `send` sends from the client, and records what the server receives. */
export function sent(send: (client: Socket) => void, options: Parameters<typeof pair>[2] = {}): Scenario {
  return async (library, stage) => {
    const [client, server] = await pair(library, stage, options);
    const closed = Promise.all([stage.watch(client, "client"), stage.watch(server, "server")]);
    send(client);
    client.close();
    await closed;
    return sorted(stage);
  };
}

/** The order of the events of one side is fixed; that of the two sides depends on the machine. */
function sorted(stage: Stage): unknown {
  const events = stage.events.splice(0);
  return ["client", "server"].map((side) => events.filter((event) => event.startsWith(side)));
}

const deflate = {
  server: { perMessageDeflate: { threshold: 0 } },
  client: { perMessageDeflate: { threshold: 0 } },
};

const everything = (client: Socket): void => {
  client.send("hi");
  client.send("");
  client.send(0);
  client.send(Buffer.from("buffer"));
  client.send(new Uint8Array([1, 2, 3]).subarray(1));
  client.send(new Float32Array([0.5, 1]));
  client.send(new DataView(new ArrayBuffer(2)));
  client.send(new ArrayBuffer(3));
  client.send([1, 2, 3]);
  client.send("as bytes", { binary: true });
  client.send(Buffer.from("as text"), { binary: false });
  client.send(undefined as never);
  client.send("compressed".repeat(20), { compress: true });
  client.send("plain".repeat(20), { compress: false });
  client.send("long".repeat(40_000));
  client.send(Buffer.alloc(70_000));
};

export const messageScenarios: Readonly<Record<string, Scenario>> = {
  "every kind of data": sent(everything),
  "every kind of data, compressed": sent(everything, deflate),
  "data that cannot be sent": async (library, stage) => {
    const [client] = await pair(library, stage);
    return [null, {}, true, Symbol("a"), () => 1].map((data) =>
      data === null
        ? "skipped"
        : thrownBy(() => client.send(data as string))
            .split("|")
            .slice(0, 2),
    );
  },
  fragments: sent((client) => {
    client.send("frag", { fin: false });
    client.ping("between");
    client.send("ment", { fin: false });
    client.send("s", { fin: true });
    client.send(Buffer.from("whole"));
  }),
  "terminate() before a message is compressed": async (library, stage) => {
    const [client] = await pair(library, stage, deflate);
    const closed = once(client, "close");
    client.send("hi", (error) => stage.note(error?.message, client.readyState));
    client.terminate();
    await closed;
  },
  "the memory of an empty message": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const message = once(client, "message") as Promise<[Buffer]>;
    server.send("");
    return (await message)[0].buffer.byteLength;
  },
  "pings and pongs": sent((client) => {
    client.ping();
    client.ping("hi");
    client.ping(0);
    client.ping("hi", true);
    client.pong();
    client.pong(Buffer.from("pong"));
    client.ping("hi");
  }),
  "pings that the peer does not answer": sent((client) => client.ping("a"), { server: { autoPong: false } }),
  "payloads that are too long": async (library, stage) => {
    const [client] = await pair(library, stage);
    return [() => client.ping(Buffer.alloc(126)), () => client.pong("a".repeat(126))].map(thrownBy);
  },
  "callbacks of send, ping and pong": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const closed = stage.watch(server, "server");
    for (const call of [
      (done: (error?: Error) => void) => client.send("a", done),
      (done: (error?: Error) => void) => client.send("b", { binary: true }, done),
      (done: (error?: Error) => void) => client.send("c", { fin: false }, done),
      (done: (error?: Error) => void) => client.send("d", done),
      (done: (error?: Error) => void) => client.ping("e", true, done),
      (done: (error?: Error) => void) => client.pong(done),
      (done: (error?: Error) => void) => client.send(new Blob(["f"]), done),
      (done: (error?: Error) => void) => client.send("g".repeat(300_000), done),
    ]) {
      await new Promise<void>((resolve) =>
        call((error) => {
          stage.note(!error, client.readyState);
          resolve();
        }),
      );
    }
    client.close();
    await closed;
  },
  binaryType: async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const received: unknown[] = [];
    for (const type of ["arraybuffer", "fragments", "blob", "foo", "nodebuffer"]) {
      client.binaryType = type as "fragments";
      const message = once(client, "message") as Promise<[unknown, boolean]>;
      server.send(Buffer.from(type));
      const [data, isBinary] = await message;
      stage.note(client.binaryType, isBinary);
      received.push(data instanceof Blob ? await data.text() : data);
      const text = once(client, "message") as Promise<[Buffer, boolean]>;
      server.send("text");
      stage.note(...(await text));
    }
    return received;
  },
  "the WHATWG interface": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const log = (event: object): void => {
      const { type, target, data, code, reason, wasClean, message } = event as Record<string, unknown>;
      stage.note(type, target === client, data, code, reason, wasClean, message);
    };
    client.onmessage = log;
    client.addEventListener("message", log);
    client.addEventListener("message", log);
    client.addEventListener("message", { handleEvent: () => stage.note("object") }, { once: true });
    client.addEventListener("foo" as "open", log);
    client.onclose = log;
    client.onerror = log;
    stage.note(
      client.onmessage === log,
      client.onopen,
      client.listenerCount("message"),
      client.listenerCount("foo"),
    );
    server.send("one");
    await once(client, "message");
    client.removeEventListener("message", log);
    stage.note(client.listenerCount("message"));
    client.onmessage = null;
    stage.note(client.onmessage, client.listenerCount("message"));
    client.onmessage = log;
    server.send(Buffer.from("two"));
    await once(client, "message");
    client.emit("error", new Error("forced"));
    server.close(4000, "some reason");
    await once(client, "close");
  },
  "pause and resume": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    client.on("message", (data) => stage.note("message", data));
    client.pause();
    stage.note(client.isPaused);
    server.send("a");
    server.ping("b");
    await new Promise<void>((resolve) => server.send("c", () => setTimeout(resolve, 30)));
    stage.note("resume");
    client.resume();
    stage.note(client.isPaused);
    await once(client, "message");
    client.pause();
    const closed = once(client, "close");
    client.terminate();
    await closed;
    client.resume();
    stage.note(client.isPaused);
  },
  "one event in each turn with allowSynchronousEvents: false": async (library, stage) => {
    const [client, server] = await pair(library, stage, { client: { allowSynchronousEvents: false } });
    let turn = 0;
    let isCounting = true;
    const count = (): void => {
      turn++;
      if (isCounting) setImmediate(count);
    };
    count();
    const turns: number[] = [];
    client.on("message", () => turns.push(turn));
    for (const text of ["a", "b", "c"]) server.send(text);
    server.close();
    await once(client, "close");
    isCounting = false;
    return new Set(turns).size === 3 || library.name === "WebSocket";
  },
  "bufferedAmount after the end": async (library, stage) => {
    const [client] = await pair(library, stage);
    client.close();
    stage.note(client.bufferedAmount);
    const refused = new Promise<void>((resolve) =>
      client.send("four", (error) => {
        stage.note(error?.message, client.bufferedAmount);
        resolve();
      }),
    );
    await refused;
    await once(client, "close");
    client.ping("hi", undefined, (error) => stage.note(error.message, client.bufferedAmount));
    client.send(new Blob(["hi"]));
    await new Promise(setImmediate);
    client.close();
    client.terminate();
    stage.note(client.bufferedAmount);
  },
  "a message that is too long": async (library, stage) => {
    const [client, server] = await pair(library, stage, { server: { maxPayload: 20 } });
    const closed = Promise.all([stage.watch(client, "client"), stage.watch(server, "server")]);
    client.send("a".repeat(20));
    client.send("a".repeat(21));
    await closed;
    return sorted(stage);
  },
  "a compressed message that is too long": async (library, stage) => {
    const [client, server] = await pair(library, stage, {
      server: { maxPayload: 20, perMessageDeflate: true },
      client: { perMessageDeflate: { threshold: 0 } },
    });
    const closed = Promise.all([stage.watch(client, "client"), stage.watch(server, "server")]);
    client.send("a".repeat(2000));
    await closed;
    return sorted(stage);
  },
};
