// Errors of the application's own functions that topics call.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { connect, InvalidArgumentError, serve } from "../../build/index.js";
import { createTopics, publish, subscribe, TopicError } from "../../build/topics.js";
import { eventually } from "holdfast-testkit";
import { recordingLogger } from "../server/recording-logger.js";

let printed = "";
const { stderr } = process;
const write = stderr.write.bind(stderr);

beforeEach(() => {
  printed = "";
  stderr.write = (text: string) => {
    printed += text;
    return true;
  };
});
afterEach(() => {
  stderr.write = write;
});

const OF_CONNECTIONS = ["a function of topics.open() failed", "a function of topics.open() failed"];
const OF_TOPICS = ["a function of topics.watch() failed", 'a listener of "gap" failed'];

for (const mode of ["logger", "null", "none"] as const) {
  test(`G8: functions of topics that throw are reported ${{ logger: "to the logger", null: "nowhere with null", none: "on stderr without a logger" }[mode]}`, async () => {
    const forServer = recordingLogger();
    const forTopics = recordingLogger();
    const optionsOf = (recording: typeof forServer) => {
      if (mode === "none") return {};
      return { logger: mode === "null" ? null : recording.logger };
    };
    const topics = createTopics({ history: true, ...optionsOf(forTopics) });
    let thrown = 0;
    const fail = (): never => {
      thrown++;
      throw new Error("of the application");
    };
    await topics.publish("room", "before");
    topics.on("gap", fail);
    await topics.watch("room", fail);
    const server = await serve(
      async (connection) => {
        topics.open(connection, { authorize: fail, publish: fail });
        await topics.subscribe(connection, "room", { since: { epoch: "another", offset: 1 } });
        await connection.closed;
      },
      { host: "127.0.0.1", ...optionsOf(forServer) },
    );
    const connection = await connect(server.url, { linkProtocol: true, logger: null });
    await assert.rejects(subscribe(connection, "other").next(), TopicError);
    await assert.rejects(publish(connection, "other", "x"), TopicError);
    await eventually(() => thrown === 4, "all functions");
    connection.terminate();
    await server.close({ timeout: 0 });
    await topics.close();
    const errorsOf = ({ lines }: typeof forServer): string[] =>
      lines.filter(({ level }) => level === "error").map(({ message }) => message);
    const isLogged = mode === "logger";
    assert.deepEqual(errorsOf(forServer), isLogged ? OF_CONNECTIONS : []);
    assert.deepEqual(errorsOf(forTopics), isLogged ? OF_TOPICS : []);
    const onStderr = printed.match(/(?<=^holdfast: ).+/gm) ?? [];
    assert.deepEqual(onStderr.sort(), mode === "none" ? [...OF_CONNECTIONS, ...OF_TOPICS].sort() : []);
  });
}

test("G8: createTopics() rejects a logger without its methods", () => {
  assert.throws(() => createTopics({ logger: {} as never }), InvalidArgumentError);
});
