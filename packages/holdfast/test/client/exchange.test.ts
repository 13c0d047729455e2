import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { Exchange, type ExchangeHandler } from "../../build/client/exchange.js";
import { SocketByteStream } from "../../build/transport/node/socket-byte-stream.js";

/** Records the calls that it receives. */
class Recorder implements ExchangeHandler {
  readonly told: string[] = [];
  onHead: ExchangeHandler["onHead"] = ({ status }, rest) => {
    this.told.push(`head ${status} + ${rest.length}`);
    return status < 300 ? "done" : "body";
  };
  onBody: ExchangeHandler["onBody"] = ({ status }, body) => this.told.push(`body ${status} ${body.length}`);
  onMalformed = (reason: string) => this.told.push(`malformed ${reason}`);
  onError = (error: Error) => this.told.push(`error ${error.message}`);
  onEnded = () => this.told.push("ended");
}

const LIMITS = { maxSize: 1024, maxHeaders: 10 };
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

test("B1: a stream that closes in the turn in which it was opened ends the exchange at once", () => {
  const recorder = new Recorder();
  const stream = new PassThrough().destroy();
  new Exchange(LIMITS, recorder).begin(new SocketByteStream(stream), bytes("GET / HTTP/1.1\r\n\r\n"));
  assert.deepEqual(recorder.told, ["ended"]);
});

test("B4: an exchange ends once: later events are not reported", () => {
  const endings: readonly (readonly [what: (exchange: Exchange) => void, told: readonly string[]])[] = [
    [(exchange) => exchange.onEof(), ["ended"]],
    [(exchange) => exchange.onClosed(), ["ended"]],
    [(exchange) => exchange.onError(new Error("oops")), ["error oops"]],
    [(exchange) => exchange.onChunk(bytes("HTTP/1.1 200 OK\r\n\r\nrest")), ["head 200 + 4"]],
    [
      (exchange) => exchange.onChunk(bytes("HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nabc")),
      ["head 404 + 3", "body 404 2"],
    ],
  ];
  for (const [first, told] of endings) {
    const recorder = new Recorder();
    const exchange = new Exchange(LIMITS, recorder);
    first(exchange);
    for (const [later] of endings) later(exchange);
    exchange.finishBody();
    assert.deepEqual(recorder.told, told);
  }
});

test("B4: a refusal that is truncated or times out is still reported as the refusal", () => {
  const cuts: readonly ((exchange: Exchange) => void)[] = [
    (exchange) => exchange.onEof(),
    (exchange) => exchange.onClosed(),
    (exchange) => exchange.onError(new Error("reset")),
    (exchange) => assert.equal(exchange.finishBody(), true),
  ];
  for (const cut of cuts) {
    const recorder = new Recorder();
    const exchange = new Exchange(LIMITS, recorder);
    assert.equal(exchange.finishBody(), false);
    exchange.onChunk(bytes("HTTP/1.1 503 Busy\r\n\r\nso far"));
    cut(exchange);
    assert.deepEqual(recorder.told, ["head 503 + 6", "body 503 6"]);
  }
});
