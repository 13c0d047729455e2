// A busy page whose connection is in a worker.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Connection } from "holdfast/browser";
import type { Page } from "playwright-core";
import { slowness } from "holdfast-testkit";
import { Browser, skip } from "./browser/chromium.js";
import { openScene } from "./browser/scene.js";
import "./browser/page-globals.js";

const INTERVAL = 300;
const TIMEOUT = 1_500 * slowness();

/** The worker has to start. */
const OPEN_TIMEOUT = 60_000;

describe("A connection in a worker of Chromium", { skip, timeout: 300_000 }, () => {
  let browser: Browser;

  before(async () => {
    browser = await Browser.start();
  });
  after(() => browser[Symbol.asyncDispose]());

  let tab: Page | undefined;
  const openPage = async (): Promise<Page> => (tab = await browser.openPage(tab));

  async function connect(url: string): Promise<Page> {
    const page = await openPage();
    await page.evaluate(
      async ([to, pingInterval, pingTimeout, openTimeout]) => {
        const connection = await holdfast.connectInWorker(to, { pingInterval, pingTimeout, openTimeout });
        globalThis.kept = { connection };
        await connection.ping();
      },
      [url, INTERVAL, TIMEOUT, OPEN_TIMEOUT] as const,
    );
    return page;
  }

  test("I2: a page that is blocked for 3 × pingTimeout keeps its connection, and latency is measured meanwhile", async () => {
    await using scene = await openScene();
    const page = await connect(scene.url);
    const seen = await page.evaluate(async (blocked) => {
      const connection = kept["connection"] as Connection;
      const { answered } = connection.latencyStats;
      block(blocked);
      await connection.send(new Uint8Array([1, 2, 3]));
      const echo = [...((await connection.recv({ timeout: 30_000 })) as Uint8Array)];
      return { echo, measured: connection.latencyStats.answered - answered, state: connection.state };
    }, 3 * TIMEOUT);
    const { measured, ...rest } = seen;
    assert.deepEqual(rest, { echo: [1, 2, 3], state: "open" });
    assert(measured >= 2, `${measured} pongs in ${3 * TIMEOUT} ms with a ping each ${INTERVAL} ms`);
  });

  test("I3: the worker detects a silent network on time while the page is blocked", async () => {
    await using scene = await openScene();
    const page = await connect(scene.url);
    scene.proxy.freeze();
    const end = await page.evaluate(async (blocked) => {
      const from = Date.now();
      block(blocked);
      const { cause, evidence } = await (kept["connection"] as Connection).closed;
      return { cause, took: evidence.endedAt - from };
    }, 4 * TIMEOUT);
    assert.equal(end.cause, "heartbeat-timeout");
    assert(end.took < 4 * TIMEOUT - 100, `${end.took} ms, with a block of ${4 * TIMEOUT} ms`);
  });

  test("I1: a worker's script that cannot be loaded is an error, and the page's own worker works", async () => {
    await using scene = await openScene();
    const page = await openPage();
    const seen = await page.evaluate(async (url) => {
      const missing = new Worker("/holdfast/no-such-script.js", { type: "module" });
      const failed = await holdfast
        .connectInWorker(url, { worker: missing })
        .catch((error: unknown) => error);
      const own = new Worker("/holdfast/browser-worker.js", { type: "module" });
      const connection = await holdfast.connectInWorker(url, { worker: own });
      await connection.send("hello");
      const message = await connection.recv();
      const { cause } = await connection.close();
      own.terminate();
      return { failed: (failed as Error).name, message, cause };
    }, scene.url);
    assert.deepEqual(seen, { failed: "WorkerError", message: "hello", cause: "local-close" });
  });

  test("J3: the error of connectInWorker() names its caller in a page as well", async () => {
    const page = await openPage();
    const stack = await page.evaluate(async () => {
      const theCaller = async (): Promise<unknown> => await holdfast.connectInWorker("ws://127.0.0.1:1");
      return theCaller().catch((error: unknown) => (error as Error).stack);
    });
    assert.match(String(stack), /at async theCaller/);
  });

  test("I1: a scope without workers says so, and connects without one", async () => {
    await using scene = await openScene();
    const page = await openPage();
    const seen = await page.evaluate(async (url) => {
      const code = `
        const { connect, connectInWorker } = await import("${location.origin}/holdfast/browser.js");
        const errors = [];
        for (const options of [{}, { worker: {} }])
          await connectInWorker("${url}", options).catch((error) => errors.push(String(error)));
        const connection = await connect("${url}");
        await connection.send("hello");
        const message = await connection.recv();
        await connection.close();
        const port = await connected;
        port.postMessage({ errors, message });`;
      const source = `const connected = new Promise((resolve) => (onconnect = ({ ports }) => resolve(ports[0])));${code}`;
      const blob = new Blob([source], { type: "text/javascript" });
      const worker = new SharedWorker(URL.createObjectURL(blob), { type: "module" });
      return new Promise((resolve) => (worker.port.onmessage = ({ data }) => resolve(data)));
    }, scene.url);
    assert.deepEqual(seen, {
      errors: [
        "WorkerError: Could not start the worker of the connection: ReferenceError: Worker is not defined.",
        "InvalidArgumentError: Expected `worker` to be a Worker, got an object.",
      ],
      message: "hello",
    });
  });
});
