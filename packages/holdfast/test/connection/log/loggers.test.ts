import assert from "node:assert/strict";
import { Console } from "node:console";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import pino from "pino";
import { serve, type Logger } from "../../../build/index.js";
import { adaptLogger } from "../../../build/connection/log/adapted-logger.js";
import { Harness } from "../harness.js";

/** A pino logger that writes into a list, without fields that differ between runs. */
function recordingPino(level: string) {
  const records: unknown[] = [];
  const write = (text: string) => void records.push(JSON.parse(text));
  return { logger: pino({ level, base: null, timestamp: false }, { write }), records };
}

async function openAndClose(logger: Logger): Promise<Harness> {
  const harness = new Harness({ logger });
  void harness.connection.send("100 %s");
  harness.clock.turn();
  harness.deliver(harness.close(1000, "bye"));
  harness.clock.turn();
  harness.transport.eof();
  await harness.end();
  return harness;
}

describe("Loggers", () => {
  test("J1: pino receives message and details as fields, and its level decides whether frames are inspected", async () => {
    const { logger, records } = recordingPino("info");
    const { connection, ends } = await openAndClose(logger);
    const [info] = ends;
    assert.deepEqual(records, [
      {
        level: 30,
        id: connection.id,
        side: "client",
        url: "ws://example.com/",
        remoteAddress: { address: "127.0.0.1", port: 80 },
        subprotocol: null,
        extensions: [],
        msg: "connection open",
      },
      {
        level: 30,
        id: connection.id,
        side: "client",
        code: 1000,
        cause: "peer-close",
        initiator: "peer",
        duration: 0,
        message: "received 1000 (OK) bye; then sent 1000 (OK) bye",
        reason: "bye",
        latency: null,
        messagesReceived: 0,
        messagesSent: 1,
        bytesReceived: info?.evidence.bytesReceived,
        bytesSent: info?.evidence.bytesSent,
        msg: "connection closed",
      },
    ]);
  });

  test("J1: pino at debug level, and its child loggers, receive frame lines unchanged", async () => {
    const { logger, records } = recordingPino("debug");
    const { connection } = await openAndClose(logger.child({ service: "feed" }));
    const frames = records.filter((record) => /TEXT|CLOSE/.test(JSON.stringify(record)));
    const line = (msg: string) => ({ level: 20, service: "feed", id: connection.id, side: "client", msg });
    assert.deepEqual(frames, [
      line("> TEXT '100 %s' [6 bytes]"),
      line("< CLOSE 1000 (OK) bye [5 bytes]"),
      line("> CLOSE 1000 (OK) bye [5 bytes]"),
    ]);
  });

  test("J1: pino writes the cause of a failure with its stack", () => {
    const { logger, records } = recordingPino("error");
    adaptLogger(logger).error("connection handler failed", { id: "1", error: new TypeError("boom") });
    const [{ msg, err }] = records as [
      { msg: string; err: { type: string; message: string; stack: string } },
    ];
    assert.deepEqual([msg, err.type, err.message], ["connection handler failed", "TypeError", "boom"]);
    assert.match(err.stack, /loggers\.test/);
  });

  test("J1: console receives details, and does not interpret the peer's data as a format string", () => {
    const stream = new PassThrough({ encoding: "utf8" });
    const original = globalThis.console;
    globalThis.console = new Console(stream, stream);
    try {
      const logger = adaptLogger(globalThis.console);
      logger.debug("< TEXT '%s %o %%' [8 bytes]", { id: "1" });
      logger.info("connection open", { id: "1" });
      logger.warn("connection closed");
      logger.error("connection handler failed", { error: "boom" });
    } finally {
      globalThis.console = original;
    }
    assert.equal(
      stream.read(),
      [
        "< TEXT '%s %o %%' [8 bytes] { id: '1' }",
        "connection open { id: '1' }",
        "connection closed",
        "connection handler failed { error: 'boom' }\n",
      ].join("\n"),
    );
  });

  test("J1: a logger without one of its methods is refused, with what was expected", async () => {
    const { debug: _debug, ...logger } = console;
    await assert.rejects(
      serve(() => undefined, { logger: logger as unknown as Logger }),
      {
        code: "ERR_HOLDFAST_INVALID_ARGUMENT",
        message: "Expected `logger` to be an object with debug, info, warn and error, got an object.",
      },
    );
  });
});
