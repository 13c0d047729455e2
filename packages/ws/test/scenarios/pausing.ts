// pause() and resume() around the end of a connection.

import type { Scenario } from "../trace.js";
import { pair } from "./messages.js";

export const pausingScenarios: Readonly<Record<string, Scenario>> = {
  "close() while paused": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const closed = stage.watch(client);
    client.pause();
    await new Promise<void>((resolve) => server.send("a", () => resolve()));
    client.close(4000);
    while (server.readyState === 1) await new Promise(setImmediate); // It has answered.
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    stage.note(client.readyState, client.isPaused);
    client.resume();
    await closed;
  },
  "pause() after close()": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const closed = stage.watch(client);
    client.close(4000);
    client.pause();
    while (server.readyState === 1) await new Promise(setImmediate);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    stage.note(client.readyState, client.isPaused);
    client.resume();
    await closed;
  },
  "a Close that arrives while paused": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const closed = stage.watch(client);
    client.pause();
    server.send("a");
    await new Promise<void>((resolve) => server.send("b", () => resolve()));
    server.close(4001, "why");
    await new Promise((resolve) => setTimeout(resolve, 30));
    stage.note(client.readyState, client.isPaused);
    client.resume();
    await closed;
  },
  "a peer that terminates while paused": async (library, stage) => {
    const [client, server] = await pair(library, stage);
    const closed = stage.watch(client);
    client.pause();
    await new Promise<void>((resolve) => server.send("a", () => resolve()));
    server.terminate();
    await new Promise((resolve) => setTimeout(resolve, 30));
    stage.note(client.readyState);
    client.resume();
    await closed;
  },
};
