// The application ends a persistent connection at each moment of an attempt. The server's answer may still arrive.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  connectPersistent,
  type ConnectPersistentOptions,
  type PersistentConnection,
} from "../../../build/index.js";
import { eventually, RawServer, withTimeout, type RawServerPeer } from "holdfast-testkit";
import { hear, say } from "./session-pair.js";
import { withResolvers } from "../../reconnect/scripted-connector.js";

type Stage =
  "connecting" | "onOpen" | "open" | "opening" | "replaying" | "resuming with a message" | "resuming";

const STAGES: readonly { readonly stage: Stage; readonly hasSession: boolean }[] = [
  { stage: "connecting", hasSession: false },
  { stage: "onOpen", hasSession: false },
  { stage: "open", hasSession: false },
  { stage: "connecting", hasSession: true },
  { stage: "opening", hasSession: true },
  { stage: "onOpen", hasSession: true },
  { stage: "resuming", hasSession: true },
  { stage: "resuming with a message", hasSession: true },
  { stage: "replaying", hasSession: true },
];

/** The persistent connection at one moment of an attempt, and the server's end of its socket. */
class Scene implements AsyncDisposable {
  readonly aborter = new AbortController();
  readonly events: string[] = [];
  readonly fates: string[] = [];
  readonly onOpen = withResolvers<undefined>();
  readonly #server: RawServer;
  readonly #hasSession: boolean;
  readonly link: PersistentConnection;
  #peer: RawServerPeer | null = null;
  /** The answer that the server still owes. */
  #answer: string | null = null;

  static async begin(stage: Stage, hasSession: boolean): Promise<Scene> {
    const scene = new Scene(await RawServer.start(), stage, hasSession);
    await scene.#reach(stage);
    scene.events.length = 0;
    return scene;
  }

  private constructor(server: RawServer, stage: Stage, hasSession: boolean) {
    this.#server = server;
    this.#hasSession = hasSession;
    const options: ConnectPersistentOptions = {
      session: hasSession,
      signal: this.aborter.signal,
      pingInterval: null,
      logger: null,
      firstDelay: 1,
      maxDelay: 1,
      ...(stage === "onOpen" && { onOpen: () => this.onOpen.promise }),
    };
    this.link = connectPersistent(server.url(), options);
    this.link.on("status", ({ state }) => this.events.push(state));
    for (const name of ["open", "resumed"] as const)
      this.link.on(name, () => this.events.push(`event ${name}`));
    this.link.on("lost", ({ unknown }) => this.events.push(`lost ${unknown}`));
  }

  get peer(): RawServerPeer {
    assert(this.#peer !== null);
    return this.#peer;
  }

  async #reach(stage: Stage): Promise<void> {
    this.#peer = await this.#server.nextPeer();
    if (stage === "connecting") return;
    await this.#upgrade();
    if (this.#hasSession) assert.equal(await hear(this.peer), "\u0016open");
    this.#answer = SESSION;
    if (stage === "opening") return;
    if (this.#hasSession) this.answer();
    if (stage === "onOpen")
      await eventually(() => this.link.session?.isAttached ?? this.link.connection !== null, "onOpen");
    else await eventually(() => this.link.status.state === "open", "the connection");
    if (stage === "open" || stage === "onOpen") return;
    if (stage !== "resuming") {
      void this.link.send("kept", { until: "delivered" }).then(
        () => this.fates.push("delivered"),
        (error: unknown) => this.fates.push((error as { outcome: string }).outcome),
      );
      assert.equal(await hear(this.peer), "kept");
    }
    this.peer.reset();
    this.#peer = await this.#server.nextPeer();
    await this.#upgrade();
    assert((await hear(this.peer)).startsWith("\u0016resume abcdefghijkl "));
    this.#answer = "resumed 0";
    if (stage !== "replaying") return;
    this.answer();
    await eventually(() => this.link.status.state === "open", "the resumption");
    this.#answer = "replay 0";
  }

  #upgrade(): Promise<unknown> {
    return this.peer.acceptUpgrade(
      this.#hasSession ? { headers: { "Sec-WebSocket-Protocol": "holdfast.v2" } } : {},
    );
  }

  /** The server sends the answer that it owes. */
  answer(): void {
    if (this.#hasSession && this.#answer !== null) say(this.peer, this.#answer);
    this.#answer = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.link.terminate();
    await this.#server.close();
  }
}

const SESSION = "session abcdefghijkl ABCDEFGHIJKLMNOPQRST_0 2klc sg";

describe("A persistent connection that the application ends during an attempt", { timeout: 300_000 }, () => {
  for (const { stage, hasSession } of STAGES) {
    const title = `${stage}, ${hasSession ? "with" : "without"} a session`;
    test(`F6: close(): ${title}`, async () => {
      await using scene = await Scene.begin(stage, hasSession);
      const { events, link } = scene;
      const closed = link.close();
      scene.onOpen.resolve(undefined);
      if (stage !== "connecting") {
        scene.answer();
        scene.peer.sendText("the last message");
        const heard: string[] = [];
        while (!heard.at(-1)?.startsWith("Close ")) {
          heard.push(await hear(scene.peer));
          if (heard.at(-1) === "kept") say(scene.peer, "ack 1");
        }
        assert.equal(heard.at(-1), "Close 1000 ");
        assert.equal(heard.includes("kept"), stage === "replaying" || stage === "resuming with a message");
        scene.peer.sendClose(1000);
        scene.peer.end();
      }
      await withTimeout(closed, 30_000, "the end");
      assert.deepEqual(events, stage === "connecting" ? ["closed"] : ["closing", "closed"]);
      if (stage === "connecting") return;
      assert(scene.fates.every((fate) => fate === "delivered"));
      assert.equal(await link.recv(), "the last message");
    });

    for (const end of ["terminate()", "an abort"] as const) {
      test(`F6: ${end}: ${title}`, async () => {
        await using scene = await Scene.begin(stage, hasSession);
        const { aborter, events, link } = scene;
        if (end === "an abort") aborter.abort();
        else link.terminate();
        scene.onOpen.resolve(undefined);
        if (stage !== "connecting") scene.answer();
        await withTimeout(link.closed, 30_000, "the end");
        const hasLoss = stage === "replaying" || stage === "resuming with a message";
        // An abort ends it in the same turn, and reports the resumption that preceded it.
        const before = end === "an abort" && stage === "replaying" ? ["event resumed"] : [];
        const seen = events.filter((event) => event !== "closing");
        assert.deepEqual(seen, [...before, ...(hasLoss ? ["lost 1"] : []), "closed"]);
        assert.deepEqual(scene.fates, hasLoss ? ["unknown"] : []);
      });
    }
  }
});
