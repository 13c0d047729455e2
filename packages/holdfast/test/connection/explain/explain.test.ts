import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  closeInfo,
  type CloseCause,
  type CloseEvidence,
  type CloseFacts,
} from "../../../build/connection/close-info.js";
import { explain } from "../../../build/connection/explain/explain.js";
import { sessionLostError } from "../../../build/session/explain-loss.js";
import { SESSION_LOSSES } from "../../../build/session/wire.js";
import { HandshakeError, type OpenFailure } from "../../../build/shared/errors.js";

const AT = Date.UTC(2026, 0, 1);
const latency = { last: null, min: null, max: null, mean: null, smoothed: null, jitter: null };

/** An end after one minute; by default of a connection with keepalive that has just received data. */
function explained(
  cause: CloseCause,
  evidence: Partial<CloseEvidence> = {},
  more: Partial<CloseFacts> = {},
): string {
  const info = closeInfo({
    cause,
    error: null,
    received: null,
    sent: null,
    receivedFirst: false,
    ...more,
    evidence: {
      openedAt: AT,
      endedAt: AT + 60_000,
      lastReceivedAt: AT + 59_000,
      lastSentAt: AT + 59_000,
      lastPingAt: AT + 40_000,
      lastPongAt: AT + 40_000,
      latency: { ...latency, p50: null, p95: null, p99: null, sent: 0, answered: 0, lost: 0 },
      pingsInFlight: 0,
      oldestPingAge: null,
      bytesReceived: 1000,
      bytesSent: 1000,
      messagesReceived: 10,
      messagesSent: 10,
      bytesBuffered: 0,
      messagesUnread: 0,
      bytesUnread: 0,
      isReadingPaused: false,
      isAmidMessage: false,
      longestStall: 0,
      pingInterval: 20_000,
      pingTimeout: 20_000,
      detection: "fixed",
      suspectAfter: null,
      deadAfter: evidence.pingTimeout === undefined ? 20_000 : evidence.pingTimeout,
      ...evidence,
    },
  });
  const text = explain(info);
  assert(text.includes(`(${info.message}).`), text);
  assert.match(text, /^[A-Z].*\.$/);
  return text;
}

const close = (code: number, reason = "") => ({ code, reason });
const received = (code: number, reason = ""): Partial<CloseFacts> => ({
  received: close(code, reason),
  sent: close(code, reason),
  receivedFirst: true,
});
const failed = (message: string): Partial<CloseFacts> => ({ error: new Error(message) });
const silent = { lastReceivedAt: AT + 20_000, lastSentAt: AT + 59_000 };

/** The connection never opened. */
const UNOPENED = { openedAt: null, lastReceivedAt: null, lastSentAt: null };

type Row = readonly [what: string, text: () => string, ...patterns: readonly RegExp[]];

const ROWS: readonly Row[] = [
  [
    "idle for 60 s, then EOF, keepalive off",
    () => explained("eof", { pingInterval: null, pingTimeout: null, lastReceivedAt: AT, lastSentAt: AT }),
    /idle for 60 s, with keepalive off/,
    /idle timeout \(nginx 60 s, HAProxy and most load balancers 30–60 s\)/,
    /Set `pingInterval`/,
  ],
  [
    "idle for 5 s and no moment longer, then EOF, keepalive off",
    () =>
      explained("eof", {
        pingInterval: null,
        pingTimeout: null,
        lastReceivedAt: AT + 54_980,
        lastSentAt: AT,
      }),
    /idle for 5 s to the moment, with keepalive off/,
    /may have an idle timeout of that length\. By chance/,
    /Set `pingInterval` to less than half of that/,
  ],
  [
    "EOF amid a message, after a pause as long as pingInterval",
    () => explained("eof", { isAmidMessage: true, lastReceivedAt: AT + 40_500, lastSentAt: AT + 40_100 }),
    /ended \(FIN\) without a closing handshake/,
    /a proxy in between was restarted\. It was amid a message, whose end is missing: only `recvStream\(\)` delivers the part that arrived\. In a session, the peer sends the message again\./,
    /A client should reconnect/,
  ],
  [
    "pong late behind 3 MB of unread data",
    () => explained("reset", { bytesUnread: 3 * 1024 * 1024, messagesUnread: 1024, isReadingPaused: true }),
    /3 MB in 1024 messages waited to be read here: this side was overloaded/,
    /pong late/,
    /Consume faster/,
  ],
  [
    "the peer did not see our pong in time, behind 3 MB of unread data",
    () =>
      explained(
        "peer-close",
        { bytesUnread: 3 * 1024 * 1024, isReadingPaused: true },
        received(1011, "keepalive ping timeout"),
      ),
    /declared this side dead/,
    /3 MB unread, so the pong went out late: this side was overloaded/,
  ],
  [
    "the peer did not see our pong in time, after a stall",
    () => explained("peer-close", { longestStall: 25_000 }, received(1011, "keepalive ping timeout")),
    /did not run for 25 s/,
  ],
  [
    "idle for as long as pingInterval, then RST",
    () => explained("reset", { lastReceivedAt: AT + 40_500, lastSentAt: AT + 40_100 }),
    /idle for 19.5 s, about as long as `pingInterval`/,
    /Try a `pingInterval` of 10000 \(10 s\)/,
  ],
  [
    "EOF out of the blue",
    () => explained("eof"),
    /ended \(FIN\) without a closing handshake/,
    /process ended or crashed/,
    /A client should reconnect/,
  ],
  ["RST out of the blue", () => explained("reset"), /reset \(RST\)/, /firewall/, /logs/],
  [
    "an error of the stream that is no RST",
    () => explained("reset", {}, { error: Object.assign(new Error("read EIO"), { code: "EIO" }) }),
    /^The TCP connection was cut by an error \(read EIO\) without a closing handshake \(no close frame/,
    /^(?!.*RST)/,
  ],
  [
    "damaged TLS",
    () =>
      explained(
        "tls",
        {},
        { error: Object.assign(new Error("80EC:error"), { code: "ERR_SSL_BAD_RECORD_MAC" }) },
      ),
    /^TLS failed while the connection was open: ERR_SSL_BAD_RECORD_MAC \(/,
    /changed the bytes/,
    /should reconnect/,
  ],
  [
    "too many renegotiations",
    () =>
      explained("tls", {}, { error: Object.assign(new Error("attack"), { code: "ERR_TLS_SESSION_ATTACK" }) }),
    /^TLS failed while the connection was open: ERR_TLS_SESSION_ATTACK/,
    /renegotiated TLS more often/,
  ],
  ["RST after a stall", () => explained("reset", { longestStall: 400 }), /did not run for 400 ms/],
  [
    "no pong, and nothing else",
    () => explained("heartbeat-timeout", silent),
    /within 20 s, so it was declared dead/,
    /Nothing was received for 40 s.*at either end or in between/,
    /A client should reconnect/,
  ],
  [
    "no pong, with 50 MB unsent",
    () => explained("heartbeat-timeout", { ...silent, bytesBuffered: 50 * 1024 * 1024 }),
    /50 MB were still unsent: the peer stopped reading/,
  ],
  [
    "no pong, with 3 MB unread",
    () => explained("heartbeat-timeout", { ...silent, bytesUnread: 3 * 1024 * 1024, messagesUnread: 30 }),
    /3 MB in 30 messages waited to be read here: this side was overloaded/,
    /Consume faster/,
  ],
  [
    "no pong, after a stall",
    () => explained("heartbeat-timeout", { ...silent, longestStall: 1319 }),
    /did not run for 1\.3 s at a time/,
    /Nothing was received for 40 s/,
  ],
  [
    "no pong, but bytes",
    () => explained("heartbeat-timeout"),
    /Bytes still arrived 1 s before the verdict/,
    /`liveness: "traffic"`/,
  ],
  [
    "no pong, and never a byte",
    () => explained("heartbeat-timeout", { lastReceivedAt: null }),
    /Nothing was received for the whole time/,
  ],
  [
    "no answer to our Close",
    () => explained("close-timeout", {}, { sent: close(1000) }),
    /within closeTimeout/,
    /did not answer the Close/,
    /`closeTimeout`/,
  ],
  [
    "a Close of the peer that may wait behind unread messages",
    () =>
      explained(
        "close-timeout",
        { bytesUnread: 3 * 1024 * 1024, messagesUnread: 2000, isReadingPaused: true },
        { sent: close(1000) },
      ),
    /Reading was paused here, with 3 MB in 2000 messages unread: a Close of the peer may wait behind them\./,
  ],
  [
    "our Close never left",
    () => explained("close-timeout", { bytesBuffered: 500 }, { sent: close(1000) }),
    /500 bytes were still unsent/,
    /may never have reached it/,
  ],
  [
    "a write that failed",
    () => explained("write-failed"),
    /Writing to the socket failed/,
    /may not have arrived/,
  ],
  [
    "a write that failed while the peer's Close may have waited unread",
    () => explained("write-failed", { bytesUnread: 2048, messagesUnread: 1025, isReadingPaused: true }),
    /had ended the connection already\. Reading was paused here, with 2 KB in 1025 messages unread: a Close/,
  ],
  [
    "a broken protocol",
    () => explained("protocol-error", {}, failed("Expected this, got that.")),
    /broke the WebSocket protocol: Expected this, got that/,
    /report/,
  ],
  [
    "invalid text",
    () => explained("invalid-data", {}, failed("Expected UTF-8")),
    /not UTF-8: Expected UTF-8/,
    /send binary messages/,
  ],
  [
    "a message over the limit",
    () => explained("message-too-big", {}, failed("got 11")),
    /over the limit: got 11/,
    /`maxMessageSize`/,
  ],
  [
    "a page that reads too slowly",
    () => explained("message-too-big", {}, failed("Read faster, or raise `maxQueue`.")),
    /reads more slowly than the peer sends: Read faster, or raise `maxQueue`/,
    /maxQueue/,
  ],
  [
    "a handler that failed",
    () => explained("handler-failed", {}, failed("no such user")),
    /handler failed: no such user/,
    /"connection handler failed"/,
  ],
  [
    "a failed handler whose Close the peer did not answer",
    () => explained("handler-failed", {}, { ...failed("no such user"), sent: close(1011) }),
    /no such user.*The peer did not answer the Close\. Look for/,
  ],
  [
    "a message that failed half-way",
    () => explained("local-close", {}, { ...failed("disk error"), sent: close(1011) }),
    /This side closed the connection: disk error .*The peer did not answer the Close/,
  ],
  ["a shutdown", () => explained("server-shutdown", {}, received(1001)), /server is shutting down/],
  ["terminate()", () => explained("aborted"), /ended the connection at once/],
  [
    "our close",
    () => explained("local-close", {}, { sent: close(1000), received: close(1000) }),
    /This side closed the connection, and the peer agreed/,
  ],
  [
    "our close, after which the peer left TCP open",
    () =>
      explained(
        "local-close",
        { lastReceivedAt: 1_000, endedAt: 11_000 },
        { sent: close(1000), received: close(1000) },
      ),
    /the peer agreed.*left TCP open after its Close.*waited 10 s/s,
  ],
  [
    "our close with another code",
    () => explained("local-close", {}, { sent: close(4000), received: close(4000) }),
    /with code 4000/,
  ],
  ["no network", () => explained("unreachable"), /no network route to the peer/, /Check the network/],
  [
    "a host that no longer acknowledges",
    () =>
      explained(
        "unreachable",
        {},
        { error: Object.assign(new Error("read ETIMEDOUT"), { code: "ETIMEDOUT" }) },
      ),
    /^The peer's host stopped acknowledging/,
  ],
  [
    "a connection that the own system aborted",
    () =>
      explained(
        "reset",
        {},
        { error: Object.assign(new Error("read ECONNABORTED"), { code: "ECONNABORTED" }) },
      ),
    /^The system of this machine aborted the TCP connection/,
    /Its network changed/,
  ],
  [
    "a peer that closed as it should",
    () => explained("peer-close", {}, received(1000)),
    /closed the connection, as it should/,
  ],
  [
    "a peer that closed without a reason",
    () => explained("peer-close", {}, received(1005)),
    /closed the connection, as it should/,
  ],
  [
    "a peer that goes away",
    () => explained("peer-close", {}, received(1001)),
    /going away/,
    /should reconnect/,
  ],
  [
    "a peer that blames us",
    () => explained("peer-close", {}, received(1002)),
    /this side broke the protocol/,
    /cannot parse.*report it/,
  ],
  [
    "a peer that blames our text",
    () => explained("peer-close", {}, received(1007)),
    /this side broke the protocol/,
  ],
  [
    "a peer's policy",
    () => explained("peer-close", {}, received(1008)),
    /reason of policy/,
    /before reconnecting/,
  ],
  [
    "a peer's limit",
    () => explained("peer-close", {}, received(1009)),
    /would not take a message of this size/,
    /smaller/,
  ],
  [
    "a peer that failed",
    () => explained("peer-close", {}, received(1011, "oops")),
    /failed with an internal error/,
    /growing delays/,
  ],
  [
    "a peer that restarts",
    () => explained("peer-close", {}, received(1012)),
    /^The peer restarts \(/,
    /random delay/,
  ],
  [
    "a peer that is busy",
    () => explained("peer-close", {}, received(1013)),
    /^The peer has too much to do, or this side was too slow for it/,
  ],
  [
    "a code of the peer's own",
    () => explained("peer-close", {}, received(4001)),
    /with code 4001/,
    /The application at the peer defines this code/,
  ],
  ["a framework's code", () => explained("peer-close", {}, received(3999)), /A framework or library/],
  [
    "a peer that does not accept the kind of data",
    () => explained("peer-close", {}, received(1003)),
    /only text, or only binary/,
  ],
  [
    "a peer that misses an extension",
    () => explained("peer-close", {}, received(1010)),
    /needs an extension/,
    /`compression`/,
  ],
  [
    "a gateway without its server",
    () => explained("peer-close", {}, received(1014)),
    /server behind it failed/,
  ],
  ["registered codes: unauthorized", () => explained("peer-close", {}, received(3000)), /other credentials/],
  ["registered codes: forbidden", () => explained("peer-close", {}, received(3003)), /forbids this/],
  ["registered codes: timeout", () => explained("peer-close", {}, received(3008)), /waited too long/],
  [
    "the peer's verdict, with nothing measured here",
    () =>
      explained(
        "peer-close",
        { pingInterval: null, pingTimeout: null },
        received(1011, "keepalive ping timeout"),
      ),
    /may have been blocked or suspended \(it measures that only with keepalive on\)/,
    /`autoPong` is off/,
  ],
  [
    "our Close, then FIN",
    () => explained("eof", {}, { sent: close(1000) }),
    /^This side closed the connection, and TCP was ended \(FIN\) before the peer had answered/,
    /does not perform the closing handshake/,
  ],
  [
    "our Close, then RST",
    () => explained("reset", {}, { sent: close(1000) }),
    /^This side closed the connection, and TCP was reset \(RST\) before the peer had answered/,
  ],
  [
    "the peer's Close, then RST before our answer",
    () => explained("reset", {}, { received: close(1000), receivedFirst: true }),
    /^The peer closed the connection, and TCP was reset \(RST\) before this side had answered/,
    /did not wait for the answer/,
  ],
  [
    "our Close, answered with another code",
    () => explained("local-close", {}, { sent: close(1000), received: close(1011, "oops") }),
    /^This side closed the connection with code 1000, and the peer answered with 1011 \(internal error\) oops/,
    /closed at the same time/,
  ],
  [
    "both Close frames, but no end of TCP",
    () => explained("close-timeout", {}, { sent: close(1000), received: close(1000) }),
    /Both sides sent a Close, but the peer did not end its TCP connection/,
  ],
  [
    "a Close with a reason that is not UTF-8",
    () => explained("invalid-data", {}, failed("Expected UTF-8 in a close reason, got other bytes.")),
    /cut it off within a character/,
  ],
  [
    "no such name",
    () => explained("dns", {}, failed("ENOTFOUND")),
    /could not be resolved: ENOTFOUND/,
    /misspelt/,
  ],
  [
    "nobody listens",
    () => explained("refused", {}, failed("ECONNREFUSED")),
    /Nothing listens.*: ECONNREFUSED/,
    /port/,
  ],
  [
    "a bad certificate",
    () => explained("tls", UNOPENED, failed("expired")),
    /TLS handshake failed: expired/,
    /`tls\.ca`/,
  ],
  [
    "no answer in time",
    () => explained("open-timeout", {}, failed("slow")),
    /not open within openTimeout: slow/,
    /`openTimeout`/,
  ],
  ["a refusal", () => explained("rejected", {}, failed("403")), /refused the upgrade: 403/, /credentials/],
  [
    "a proxy that refuses",
    () => explained("proxy", {}, { error: new HandshakeError("407", { failure: "proxy" }) }),
    /^The proxy could not be used: 407/,
  ],
  [
    "a wrong accept key",
    () => explained("invalid-handshake", {}, failed("wrong key")),
    /could not be opened: wrong key/,
  ],
  [
    "a server that ends the stream during the upgrade",
    () => explained("eof", UNOPENED, failed("no answer.")),
    /cut before it was open: no answer \(/,
    /restarting/,
  ],
  [
    "a reset during the upgrade",
    () => explained("reset", UNOPENED, failed("ECONNRESET")),
    /cut before it was open/,
  ],
  [
    "a network without a way to the server",
    () => explained("unreachable", UNOPENED, failed("EHOSTUNREACH")),
    /no network route to the server: EHOSTUNREACH/,
    /growing delays/,
  ],
  [
    "opening that was given up",
    () => explained("aborted", UNOPENED, failed("stopped")),
    /gave up before the connection was open: stopped/,
  ],
];

/** The explanation of a failure to open with an error of the library. */
const explainedOpening = (failure: OpenFailure, message: string) =>
  explained(failure, UNOPENED, { error: new HandshakeError(message, { failure }) });

describe("explain()", () => {
  test("G9: anything but a CloseInfo or an error of the library is rejected", () => {
    for (const [value, shown] of [
      [undefined, "undefined"],
      [null, "null"],
      [1006, "1006 (number)"],
      [new Error("closed"), "an object"],
    ] as const) {
      assert.throws(() => explain(value as never), {
        name: "InvalidArgumentError",
        message: `Expected \`ended\` to be a CloseInfo, as \`closed\` resolves with, or an error of this library, got ${shown}.`,
      });
    }
  });

  test("D9: a failure to open whose error describes it is explained only once", () => {
    const cases = [
      ["dns", "No address was found for ws://nowhere.invalid/: ENOTFOUND."],
      ["refused", "Nothing listens at ws://127.0.0.1:1/: ECONNREFUSED."],
      ["tls", "The TLS handshake failed with wss://a.example/: expired."],
      ["open-timeout", "Expected ws://a.example/ to be open within 200 ms, still waiting for the name."],
      ["unreachable", "There is no way to ws://a.example/: EHOSTUNREACH."],
    ] as const;
    for (const [failure, message] of cases) {
      assert.equal(
        explainedOpening(failure, message).indexOf(
          `${message.slice(0, -1)} (no close frame received or sent). `,
        ),
        0,
      );
    }
  });

  test("D9: no advice to fix the certificate for a server without TLS", () => {
    const text = explainedOpening(
      "tls",
      "The TLS handshake failed with wss://a.example/: wrong version number",
    );
    assert.match(text, /does not speak TLS.*`ws:`/);
    assert.doesNotMatch(text, /certificate/);
  });

  test("D9: durations have the same form in every sentence", () => {
    const text = explained("heartbeat-timeout", { pingTimeout: 2_000, lastReceivedAt: AT + 57_800 });
    assert.match(text, /within 2 s, .* for 2\.2 s:/);
    assert.match(explained("heartbeat-timeout", { pingTimeout: 400 }), /within 400 ms,/);
    const idleFor = (idle: number) =>
      explained("eof", { pingInterval: null, lastReceivedAt: AT, lastSentAt: AT, endedAt: AT + idle });
    assert.match(idleFor(350_400), /idle for 350 s,/);
    assert.match(idleFor(3_600_000), /idle for 60 min,/);
  });

  test("D9: I2: a page's 4011 is explained as the 1011 that it stands for, on either side", () => {
    const verdict = close(4011, "keepalive ping timeout");
    assert.match(
      explained("peer-close", {}, { received: verdict, sent: verdict, receivedFirst: true }),
      /^The peer declared this side dead.*A page may not send 1011, so 4011 stands for it\./,
    );
    assert.match(explained("heartbeat-timeout", {}, { sent: verdict }), /4011 stands for it/);
    assert.match(explained("message-too-big", {}, { sent: close(4009) }), /send 1009, so 4009 stands for it/);
  });

  test("D9: I2: an application's own 4011 is explained as such", () => {
    assert.doesNotMatch(explained("peer-close", {}, received(4011, "no seat left")), /stands for/);
    assert.doesNotMatch(
      explained("local-close", {}, { sent: close(4011), received: close(4011) }),
      /stands for/,
    );
    assert.doesNotMatch(explained("heartbeat-timeout", {}, { sent: close(1011) }), /stands for/);
  });

  for (const [what, text, ...patterns] of ROWS) {
    test(`D9: ${what}`, () => {
      const explanation = text();
      for (const pattern of patterns) assert.match(explanation, pattern);
    });
  }

  test("D9: with keepalive, or after a shorter idle time, no idle timeout is suspected", () => {
    const idle = { lastReceivedAt: AT, lastSentAt: AT };
    for (const text of [
      explained("eof", idle),
      explained("eof", {
        pingInterval: null,
        pingTimeout: null,
        lastReceivedAt: AT + 50_000,
        lastSentAt: AT + 50_300,
      }),
      explained("eof", {
        pingInterval: null,
        pingTimeout: null,
        lastReceivedAt: AT,
        lastSentAt: AT + 59_990,
      }),
      // A second is no timeout of a proxy.
      ...[1_000, 1_500, 3_400, 12_100].map((time) =>
        explained("eof", {
          pingInterval: null,
          pingTimeout: null,
          lastReceivedAt: AT,
          lastSentAt: AT,
          endedAt: AT + time,
        }),
      ),
    ]) {
      assert.doesNotMatch(text, /idle/);
    }
  });
});

test("D9: a lost session is explained: why, what became of its messages, and what to do", () => {
  const lost = (reason: (typeof SESSION_LOSSES)[number], unsent: number, unknown: number): string =>
    explained("reset", {}, { error: sessionLostError(reason, { unsent, unknown }) });
  assert.match(
    lost("expired", 2, 3),
    /^The session was detached for longer than the server keeps it, or is older than its lifetime \(.*\)\. Of the messages that this side sent, 2 did not arrive, and 3 may have arrived\. Increase `sessions\.retain` or `maxLifetime`\.$/,
  );
  assert.match(
    lost("store", 0, 0),
    /The peer has confirmed everything that this side sent\. Look for "sessions failed"/,
  );
  const texts = SESSION_LOSSES.map((reason) => lost(reason, 0, 0));
  assert.equal(new Set(texts).size, SESSION_LOSSES.length);
});
