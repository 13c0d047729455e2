// The helpers of node:events, and listeners in general.

import { on, once } from "node:events";
import { describe, urlOf, type Scenario, type Socket } from "../trace.js";
import { pair } from "./messages.js";

/** A port on which nothing listens. */
const REFUSED = "ws://127.0.0.1:1";

export const nodeEventsScenarios: Readonly<Record<string, Scenario>> = {
  "once() of open": async (library, stage) => {
    const server = await stage.serve(library);
    const client = new library(urlOf(server));
    return [await once(client, "open"), client.readyState];
  },
  "once() of open, and an error": async (library) => {
    const client = new library(REFUSED);
    const error: unknown = await once(client, "open").catch((thrown: unknown) => thrown);
    return [describe(error as Error), client.readyState];
  },
  "on() of message": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    server.send("a");
    server.send(Buffer.from("b"));
    for await (const [data, isBinary] of on(client, "message")) {
      stage.note(data, isBinary);
      if (isBinary) break;
    }
  },
  "a listener that is added later": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    server.send("nobody listens");
    await new Promise<void>((resolve) => client.once("pong", () => resolve()).ping());
    client.on("message", (data) => stage.note(data));
    const message = once(client, "message");
    server.send("heard");
    await message;
  },
  "an overridden emit()": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const emit = client.emit.bind(client);
    client.emit = (name: string, ...args: unknown[]) => {
      stage.note(name, args.length);
      return emit(name, ...args);
    };
    server.send("a");
    server.ping("b");
    server.close();
    await once(client, "close");
  },
  "names and counts of listeners": async (library, stage) => {
    const [client] = await pair(library, stage);
    const listener = (): void => undefined;
    client.addEventListener("message", listener);
    client.onmessage = listener;
    client.on("message", listener);
    stage.note(client.eventNames(), client.listenerCount("message"));
    client.removeEventListener("message", listener);
    stage.note(client.listenerCount("message"), client.onmessage === listener);
    client.off("message", listener);
    client.removeAllListeners("message");
    stage.note(client.onmessage, client.listenerCount("message"), client.getMaxListeners());
  },
  "onmessage takes its place anew": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    client.onmessage = () => stage.note("first");
    client.on("message", () => stage.note("listener"));
    client.onmessage = () => stage.note("second");
    const message = once(client, "message");
    server.send("a");
    await message;
    for (const value of [5, { handleEvent: () => undefined }, null]) {
      client.onmessage = value as never;
      stage.note(client.onmessage);
    }
  },
  "the forms of addEventListener()": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    client.addEventListener("message", { handleEvent: ({ data }) => stage.note("object", data) });
    client.addEventListener("message", function (this: unknown) {
      stage.note("function", this === client);
    });
    client.addEventListener("message", () => stage.note("once"), { once: true });
    client.addEventListener("message", () => stage.note("capture"), true as never);
    for (const text of ["a", "b"]) {
      const message = once(client, "message");
      server.send(text);
      await message;
    }
  },
  "the properties of events": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const message = new Promise<object>((resolve) => (client.onmessage = resolve));
    const end = new Promise<object>((resolve) => (client.onclose = resolve));
    server.send("a");
    server.close(4001, "why");
    const failed = new library(REFUSED);
    const error = new Promise<object>((resolve) => (failed.onerror = resolve));
    for (const event of await Promise.all([message, end, error])) {
      const names: string[] = [];
      for (const name in event) names.push(name);
      stage.note(event.constructor.name, names.sort(), Object.keys(event), "preventDefault" in event);
    }
  },
  "messages that a loop awaits one by one": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const next = async (): Promise<string> => String((await once(client, "message"))[0]);
    const first = next();
    server.send("a");
    stage.note(await first);
    const second = next();
    server.send("b");
    stage.note(await second);
  },
  "an exception of a listener of open": async (library, stage) => {
    const server = await stage.serve(library);
    const client: Socket = new library(urlOf(server));
    return uncaught(() => {
      client.on("open", () => {
        throw new Error("Oops");
      });
    });
  },
  "an exception of a listener of close": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    return uncaught(() => {
      client.on("close", () => {
        throw new Error("Oops");
      });
      server.close();
    });
  },
  "an error without a listener": (library) =>
    uncaught(() => {
      new library(REFUSED).on("close", () => undefined);
    }),
};

/** Resolves with the next uncaught exception. */
async function uncaught(begin: () => void): Promise<string> {
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  try {
    const caught = new Promise<Error>((resolve) => process.once("uncaughtException", resolve));
    begin();
    return describe(await caught);
  } finally {
    for (const listener of listeners) process.on("uncaughtException", listener);
  }
}
