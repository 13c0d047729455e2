// The options that all connecting verbs share, and their translation to options of `connect()`.

import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { ConnectOptions } from "../../index.js";
import type { Arguments } from "../arguments/arguments.js";
import type { OptionSpecs } from "../arguments/option-spec.js";
import { UsageError } from "../arguments/usage-error.js";

/** For verbs that receive messages. */
export const MESSAGE_OPTIONS: OptionSpecs = {
  "max-message-size": { value: "SIZE", help: "longest message to accept, such as 64k or 16m; or off (1m)" },
};

export const PEER_OPTIONS: OptionSpecs = {
  header: {
    short: "H",
    value: "'NAME: VALUE'",
    isList: true,
    help: "add a request header; may be repeated",
  },
  auth: { value: "USER:PASSWORD", help: "log in with Basic authentication (RFC 7617)" },
  subprotocol: { value: "NAME", isList: true, help: "offer a subprotocol; may be repeated" },
  origin: { value: "URL", help: "send this Origin header, for servers that expect a browser" },
  compress: { help: "offer compression (permessage-deflate)" },
  proxy: { value: "URL", help: "use this proxy (http, https, socks5 …); none: connect directly" },
  insecure: { help: "accept any certificate (for tests only)" },
  ca: { value: "FILE", help: "trust the certificate authorities in this PEM file" },
  cert: { value: "FILE", help: "use this client certificate (PEM), with --key" },
  key: { value: "FILE", help: "the private key of --cert (PEM)" },
  ...MESSAGE_OPTIONS,
  "open-timeout": { value: "TIME", help: "time limit for connecting, or off (10s)" },
};

/** For verbs that keep a connection open. */
export const KEEPALIVE_OPTIONS: OptionSpecs = {
  "ping-interval": { value: "TIME", help: "time between keepalive pings, or off (20s)" },
  "ping-timeout": { value: "TIME", help: "time limit for a pong, or off: wait forever (20s)" },
  detection: {
    value: "MODE",
    help: "adaptive: find a dead peer sooner, from the measured round trip (fixed)",
  },
};

/** For verbs that reconnect. */
export const SESSION_OPTIONS: OptionSpecs = {
  session: { help: "lose no message when reconnecting, if the server has sessions" },
};

/** @throws UsageError */
export function peerOptions(given: Arguments): ConnectOptions {
  const openTimeout = given.duration("open-timeout", undefined);
  const pingInterval = given.duration("ping-interval", undefined);
  const pingTimeout = given.duration("ping-timeout", undefined);
  const proxy = given.text("proxy");
  const tls = tlsOptions(given);
  return {
    headers: [...given.list("header").map(parseHeader), ...authorization(given)],
    subprotocols: given.list("subprotocol"),
    origin: given.text("origin"),
    compression: given.has("compress"),
    ...(proxy === undefined ? {} : { proxy: proxy === "none" ? null : proxy }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
    ...messageOptions(given),
    ...(openTimeout === undefined ? {} : { openTimeout }),
    ...(pingInterval === undefined ? {} : { pingInterval }),
    ...(pingTimeout === undefined ? {} : { pingTimeout }),
    ...detectionOption(given),
  };
}

/** @throws UsageError */
export function detectionOption(given: Arguments): Pick<ConnectOptions, "detection"> {
  const mode = given.text("detection");
  if (mode === undefined) return {};
  if (mode === "adaptive" || mode === "fixed") return { detection: mode };
  throw new UsageError(`Expected \`--detection\` to be adaptive or fixed, got "${mode}".`);
}

/** @throws UsageError */
export function messageOptions(given: Arguments): Pick<ConnectOptions, "maxMessageSize"> {
  const name = "max-message-size";
  if (given.text(name) === "off") return { maxMessageSize: null };
  const maxMessageSize = given.size(name, undefined, 1, 4 * 1024 ** 3);
  return maxMessageSize === undefined ? {} : { maxMessageSize };
}

/** Adds what is missing: `localhost:8080`, `:8080` and `8080` become `ws://localhost:8080`. */
export function completeURL(operand: string): string {
  if (/^[a-z][a-z+.-]*:\/\//i.test(operand) || operand.startsWith("ws+unix:")) return operand;
  if (operand.startsWith(":")) return `ws://localhost${operand}`;
  // In a URL, a number is an IPv4 address: 8080 is 0.0.31.144.
  return /^\d+(\/|$)/.test(operand) ? `ws://localhost:${operand}` : `ws://${operand}`;
}

function authorization(given: Arguments): [string, string][] {
  const text = given.text("auth");
  if (text === undefined) return [];
  // Error messages end up in logs, so this one does not repeat the password.
  if (text.indexOf(":") <= 0)
    throw new UsageError("Expected `--auth` to be user:password, got no colon after a name.");
  if (given.list("header").some((header) => /^\s*authorization\s*:/i.test(header)))
    throw new UsageError("`--auth` and an Authorization `--header` exclude each other: leave one out.");
  return [["Authorization", `Basic ${Buffer.from(text, "utf8").toString("base64")}`]];
}

function parseHeader(text: string): [string, string] {
  const colon = text.indexOf(":");
  if (colon > 0) return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
  throw new UsageError(`Expected \`--header\` to be 'Name: value', got "${text}".`);
}

function tlsOptions(given: Arguments): NonNullable<ConnectOptions["tls"]> {
  return { ...pemFiles(given, "ca"), ...(given.has("insecure") ? { rejectUnauthorized: false } : {}) };
}

/**
 * The files of `--cert`, `--key` and the others.
 * @throws UsageError
 */
export function pemFiles(given: Arguments, ...others: readonly string[]): SecureContextOptions {
  if (given.has("cert") !== given.has("key")) {
    const missing = given.has("cert") ? "key" : "cert";
    throw new UsageError(`\`--cert\` and \`--key\` go together: \`--${missing}\` is missing.`);
  }
  const names = ["cert", "key", ...others].filter((name) => given.has(name));
  const files = Object.fromEntries(names.map((name) => [name, readPEM(name, given.text(name) ?? "")]));
  try {
    if (names.length > 0) createSecureContext(files);
  } catch (error) {
    const options = names.map((name) => `\`--${name}\``).join(" and ");
    throw new UsageError(`Expected ${options} to be PEM that fits, got ${(error as Error).message.trim()}.`);
  }
  return files;
}

function readPEM(option: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(
      `Expected \`--${option}\` to be a file that can be read: ${(error as Error).message}.`,
    );
  }
}
