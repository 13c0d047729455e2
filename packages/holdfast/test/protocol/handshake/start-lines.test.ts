import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isHeadFailure } from "../../../build/protocol/handshake/head-failure.js";
import { HeaderList } from "../../../build/protocol/handshake/header-list.js";
import { parseRequestHead } from "../../../build/protocol/handshake/request-head.js";
import { isInterimResponse, parseResponseHead } from "../../../build/protocol/handshake/response-head.js";
import { responseHead } from "./heads.js";

const headers = new HeaderList("Host: a\r\n");

test("G3: a request line is a method, a target and HTTP/1.x (RFC 9112 section 3)", () => {
  assert.deepEqual(parseRequestHead({ startLine: "GET /a?b HTTP/1.1", headers }), {
    method: "GET",
    target: "/a?b",
    minorVersion: 1,
    headers,
  });
  assert.deepEqual(parseRequestHead({ startLine: "M-SEARCH * HTTP/1.0", headers }), {
    method: "M-SEARCH",
    target: "*",
    minorVersion: 0,
    headers,
  });
});

test("G3: a malformed request line is 400, another major version 505", () => {
  for (const startLine of [
    "GET  / HTTP/1.1",
    "GET / HTTP/1.1 ",
    "GET /a b HTTP/1.1",
    "GET /\tHTTP/1.1",
    "GET /\xe4 HTTP/1.1",
    "GET / http/1.1",
    "GET / HTTP/1.10",
    "GET /",
    "G@T / HTTP/1.1",
  ]) {
    assert.deepEqual(parseRequestHead({ startLine, headers }), {
      outcome: "failed",
      status: 400,
      limit: null,
      reason: `Expected a request line such as "GET / HTTP/1.1", got ${JSON.stringify(startLine)
        .replace("\\t", "\\u0009")
        .replace("\xe4", "\\u00e4")}.`,
    });
  }
  assert.deepEqual(parseRequestHead({ startLine: "PRI * HTTP/2.0", headers }), {
    outcome: "failed",
    status: 505,
    limit: null,
    reason: "Expected HTTP/1.1, got HTTP/2.0.",
  });
});

test("B4: a status line is HTTP/1.x, a status and a reason, which may be missing (RFC 9112 section 4)", () => {
  const answer = { status: 403, reason: "Not \xe4llowed", minorVersion: 1, headers };
  assert.deepEqual(parseResponseHead({ startLine: "HTTP/1.1 403 Not \xe4llowed", headers }), answer);
  assert.deepEqual(parseResponseHead({ startLine: "HTTP/1.1 403 ", headers }), { ...answer, reason: "" });
  assert.deepEqual(parseResponseHead({ startLine: "HTTP/1.0 403", headers }), {
    ...answer,
    reason: "",
    minorVersion: 0,
  });
});

test("B3: the error for a malformed status line quotes it", () => {
  for (const startLine of [
    "SSH-2.0-OpenSSH_9.6",
    "HTTP/1.1 99 x",
    "HTTP/1.1 099 x",
    "HTTP/1.1 1000 x",
    "HTTP/2 101 x",
    "HTTP/1.1  101",
  ]) {
    assert.deepEqual(parseResponseHead({ startLine, headers }), {
      outcome: "failed",
      status: 400,
      limit: null,
      reason: `Expected a status line such as "HTTP/1.1 101 Switching Protocols", got "${startLine}".`,
    });
  }
});

test("B3: 1xx but 101 is an interim response (RFC 9110 section 15.2)", () => {
  const statuses = [100, 101, 102, 103, 199, 200, 403].filter((status) =>
    isInterimResponse(responseHead(`HTTP/1.1 ${status} x`)),
  );
  assert.deepEqual(statuses, [100, 102, 103, 199]);
});

test("H: any start line gives a head or a failure", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (startLine) => {
      for (const head of [
        parseRequestHead({ startLine, headers }),
        parseResponseHead({ startLine, headers }),
      ]) {
        assert.ok(isHeadFailure(head) || head.headers === headers);
      }
    }),
  );
});
