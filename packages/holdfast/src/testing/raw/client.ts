// A scripted client: sends exactly the bytes that a test wants.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { type BytesLike, concatBytes, toBytes } from "../bytes.js";
import { withTimeout } from "../with-timeout.js";
import { requireDuration } from "../../shared/option-checks.js";
import { requireOptions, type OptionNames } from "../../shared/option-names.js";
import { checkHost, checkPort } from "../check-address.js";
import { acceptKey, formatHead, type Head, type HeadersToSend } from "./head.js";
import { RawPeer, type WaitOptions } from "./peer.js";

/** Options of `RawClient.connect()`. */
export interface RawClientOptions {
  /** The port of the server. */
  readonly port: number;
  /** The address of the server. @default "127.0.0.1" */
  readonly host?: string | undefined;
  /**
   * Uses TLS with these options of `tls.connect`, such as `ca`. The default `servername` is `localhost`.
   * @default no TLS
   */
  readonly tls?: ConnectionOptions | undefined;
  /** Milliseconds for connecting and, unless a call sets another limit, for every wait. @default 20_000 */
  readonly timeout?: number | undefined;
}

/** Options of `RawClient.upgrade()` and `sendUpgrade()`. */
export interface UpgradeOptions {
  /** The target of the request. @default "/" */
  readonly path?: string | undefined;
  /** Added to the headers of an upgrade; they replace headers of the same name, and null omits one. @default none */
  readonly headers?: HeadersToSend | undefined;
  /** Bytes right after the request, in the same write. @default none */
  readonly glue?: BytesLike | undefined;
}

const OPTIONS: OptionNames<RawClientOptions> = { port: true, host: true, tls: true, timeout: true };

/** A scripted client. Its frames are masked by default. */
export class RawClient extends RawPeer {
  readonly #key = randomBytes(16).toString("base64");

  /**
   * Connects, without an upgrade.
   *
   * @throws InvalidArgumentError
   * @throws the error of Node.js if nothing listens, or an Error after the timeout
   */
  static async connect(options: RawClientOptions): Promise<RawClient> {
    requireOptions("RawClient.connect()", options, OPTIONS);
    const { port, host = "127.0.0.1", tls, timeout = 20_000 } = options;
    checkPort("port", port, 1);
    checkHost("host", host);
    requireDuration("timeout", timeout);
    const tcp = connectTcp({ port, host, allowHalfOpen: true });
    // The TLS connection, which inherits the half-open mode of the TCP connection, reports its errors as
    // well.
    tcp.on("error", () => undefined);
    const stream = tls === undefined ? tcp : connectTls({ servername: "localhost", ...tls, socket: tcp });
    try {
      const connected = once(stream, tls === undefined ? "connect" : "secureConnect");
      await withTimeout(connected, timeout, "the connection");
    } catch (error) {
      stream.destroy();
      tcp.destroy();
      throw error;
    }
    return new RawClient({ stream, tcp, isMasking: true, timeout });
  }

  /** Sends the upgrade request without waiting for the response, which `readHead` reads. */
  sendUpgrade({ path = "/", headers, glue = "" }: UpgradeOptions = {}): void {
    const defaults = {
      Host: "localhost",
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Key": this.#key,
      "Sec-WebSocket-Version": "13",
    };
    const head = formatHead(`GET ${path} HTTP/1.1`, defaults, headers);
    this.write(concatBytes([toBytes(head), toBytes(glue)]));
  }

  /**
   * Upgrades the connection (RFC 6455 section 4.1) and returns the response.
   *
   * @throws Error if the server refuses, sends a wrong accept key, or does not answer within the timeout
   */
  async upgrade({ timeout, ...options }: UpgradeOptions & WaitOptions = {}): Promise<Head> {
    this.sendUpgrade(options);
    const head = await this.readHead(timeout === undefined ? {} : { timeout });
    if (!head.startLine.startsWith("HTTP/1.1 101 "))
      throw new Error(`The upgrade was refused: ${head.startLine}.`);
    const accept = head.header("Sec-WebSocket-Accept");
    if (accept !== acceptKey(this.#key)) throw new Error(`The accept key is wrong: ${accept}.`);
    return head;
  }
}
