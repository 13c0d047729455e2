// Makes connections over streams whose opening handshake was done by other code. For adapters that keep the interface of
// another library, and therefore its handshake.

import type { Duplex } from "node:stream";
import { CONNECTION_OPTIONS } from "../connection/options.js";
import type { ConnectionOptions, ConnectionSettings } from "../connection/options.js";
import { toBytes } from "../connection/arguments.js";
import { createConnection } from "../connection/connection.js";
import { coreOf } from "../connection/core-of.js";
import type { HandshakeRequest, HandshakeResponse } from "../connection/handshake-record.js";
import { heartbeatKeepalive } from "../connection/keepalive/heartbeat-keepalive.js";
import { FrameEncoder } from "../protocol/frame/frame-encoder.js";
import { MaskKeys } from "../protocol/frame/mask-keys.js";
import { acceptDeflate, offerDeflate, readDeflateAnswer } from "../protocol/deflate/negotiation.js";
import { parseExtensions } from "../protocol/handshake/extension-header.js";
import { NegotiationError } from "../shared/errors.js";
import {
  checkBoolean,
  checkChoice,
  checkFunction,
  invalidArgument,
  requireChoice,
} from "../shared/option-checks.js";
import { requireOptions, type OptionNames } from "../shared/option-names.js";
import type { Role } from "../shared/role.js";
import { checkNodeOptions } from "../transport/node/connection-settings.js";
import { nodeRuntime } from "../transport/node/node-runtime.js";
import { sharedReadBufferOf } from "../transport/node/shared-read-buffer.js";
import { isInUse, SocketByteStream } from "../transport/node/socket-byte-stream.js";
import {
  createAdoptedConnection,
  type AdoptedConnection,
  type AdoptedHandler,
} from "./adopted-connection.js";
import { AdoptedFrames } from "./adopted-frames.js";
import { agreedDeflate, createAgreement, type AgreedCompression } from "./agreed-compression.js";

/** Options of an `Adopter`. Messages are delivered as bytes, so there is no option `text`. */
export interface AdopterOptions extends Omit<ConnectionOptions, "text"> {
  /** This side of the connections. A client masks what it sends (RFC 6455 section 5.1). */
  readonly role: "client" | "server";
  /**
   * When the first ping is sent: `"open"`, or one `"interval"` later, where peers expect no frame that their application
   * did not cause. @default "open"
   */
  readonly firstPing?: "interval" | "open" | undefined;
  /** Whether the Close that reports a violation of the protocol says what was wrong. @default true */
  readonly closeReasons?: boolean | undefined;
  /**
   * Whether a client ends TCP after the closing handshake or a violation, rather than wait for the server (RFC 6455
   * section 7.1.1). @default false
   */
  readonly endsFirst?: boolean | undefined;
  /**
   * Fills a masking key of 4 bytes. The keys must be unpredictable (RFC 6455 section 10.3), so set this only in tests.
   * @default random bytes
   */
  readonly generateMask?: ((key: Uint8Array) => void) | undefined;
}

/** The opening handshake that led to a stream: `url`, `request` and the like of the connection. */
export interface AdoptedHandshake {
  /** The address that the client asked for, beginning with `ws:` or `wss:`. */
  readonly url: string;
  /** The request; read when `connection.request` is. */
  readonly request: HandshakeRequest;
  /** The response that accepted it. */
  readonly response: HandshakeResponse;
  /** The agreed subprotocol; null for none. */
  readonly subprotocol: string | null;
  /** The agreed compression; null for none. */
  readonly compression: AgreedCompression | null;
}

const { text: _text, ...OTHER_OPTIONS } = CONNECTION_OPTIONS; // Messages are bytes in any case.

const ADOPTER_OPTIONS: OptionNames<AdopterOptions> = {
  ...OTHER_OPTIONS,
  role: true,
  firstPing: true,
  closeReasons: true,
  endsFirst: true,
  generateMask: true,
};

const HANDLER_METHODS: readonly (keyof AdoptedHandler)[] = [
  "onMessage",
  "onPing",
  "onPong",
  "onClosing",
  "onFailure",
  "onEnded",
];

/** Makes connections with the same settings over streams on which the opening handshake is complete. */
export class Adopter {
  readonly #role: Role;
  readonly #settings: ConnectionSettings;
  readonly #hidesReasons: boolean;
  readonly #endsFirst: boolean;
  readonly #generateMask: ((key: Uint8Array) => void) | null;

  /** @throws InvalidArgumentError */
  constructor(options: AdopterOptions) {
    requireOptions("Adopter", options, ADOPTER_OPTIONS);
    this.#role = requireChoice("role", options.role, ["client", "server"]);
    const delaysFirstPing =
      checkChoice("firstPing", options.firstPing, ["interval", "open"], "open") === "interval";
    this.#hidesReasons = !checkBoolean("closeReasons", options.closeReasons, true);
    this.#endsFirst = checkBoolean("endsFirst", options.endsFirst, false) || this.#role === "server";
    const { generateMask } = options;
    if (generateMask !== undefined) checkFunction("generateMask", generateMask);
    this.#generateMask = generateMask ?? null;
    this.#settings = { ...checkNodeOptions(options), delaysFirstPing };
  }

  /** A client's value of Sec-WebSocket-Extensions (RFC 7692 section 7.1); null without `compression`. */
  offerCompression(): string | null {
    const { compression } = this.#settings;
    return compression === null ? null : offerDeflate(compression);
  }

  /**
   * A server's choice from the client's Sec-WebSocket-Extensions; null for no compression.
   * @throws NegotiationError if the header is malformed
   */
  acceptCompression(offer: string): AgreedCompression | null {
    const elements = parseExtensions(offer);
    if (typeof elements === "string") throw new NegotiationError(elements);
    const { compression } = this.#settings;
    return createAgreement(compression === null ? null : acceptDeflate(offer, compression));
  }

  /**
   * Reads the server's Sec-WebSocket-Extensions at a client.
   * @throws NegotiationError if it does not match the offer
   */
  readCompression(answer: string): AgreedCompression | null {
    const { compression } = this.#settings;
    if (compression === null)
      throw new NegotiationError("Expected no extension, as none was offered, got one.");
    const agreed = readDeflateAnswer(answer, compression);
    if (agreed instanceof NegotiationError) throw agreed;
    return createAgreement(agreed);
  }

  /**
   * Makes a connection of a stream on which the opening handshake is complete. Nothing is delivered within this call.
   *
   * @param stream a socket or another Duplex
   * @param head the bytes after the handshake that were read with it
   * @param handler receives what the peer sends, within the call that read it
   * @param handshake what `connection.url`, `request`, `response`, `subprotocol` and `extensions` report
   * @throws InvalidArgumentError
   */
  adopt(
    stream: Duplex,
    head: Uint8Array,
    handler: AdoptedHandler,
    handshake: AdoptedHandshake,
  ): AdoptedConnection {
    const { on, write, destroy } = Object(stream) as Record<string, unknown>;
    if (![on, write, destroy].every((method) => typeof method === "function")) {
      throw invalidArgument("stream", "a socket or another Duplex", stream);
    }
    if (isInUse(stream)) throw invalidArgument("stream", "one that no other connection uses", stream);
    if (toBytes(head) === null) throw invalidArgument("head", "bytes", head);
    const methods = Object(handler) as Record<string, unknown>;
    for (const name of HANDLER_METHODS) checkFunction(`handler.${name}`, methods[name]);
    const runtime = nodeRuntime();
    const settings = this.#settings;
    const deflate = agreedDeflate((Object(handshake) as AdoptedHandshake).compression);
    const frames = new AdoptedFrames(handler);
    stream.allowHalfOpen = true;
    const connection = createConnection({
      runtime,
      settings,
      transport: (events) => {
        const extension = deflate?.extension ?? null;
        const options = { runtime, role: this.#role, settings, extension, ...this.#encoder() };
        const received = {
          preface: null,
          rest: head,
          defersDelivery: true,
          hidesReasons: this.#hidesReasons,
          endsFirst: this.#endsFirst,
        };
        return frames.open({ ...options, ...received, stream: new SocketByteStream(stream) }, events);
      },
      keepalive: heartbeatKeepalive,
      handshake: {
        url: handshake.url,
        subprotocol: handshake.subprotocol,
        extensions: deflate === null ? [] : [deflate.header],
        get request() {
          return handshake.request;
        },
        get response() {
          return handshake.response;
        },
      },
      owner: null,
    });
    const adopted = createAdoptedConnection(connection, frames.connect(coreOf(connection)), handler);
    coreOf(connection).start();
    if (head.length > 0 && sharedReadBufferOf(stream) !== null) {
      // Listeners of `data`, as plugins of `ws` add, get these bytes as well.
      runtime.clock.afterPoll(() => void stream.emit("data", Buffer.from(head)));
    }
    return adopted;
  }

  #encoder(): { readonly encoder?: FrameEncoder } {
    const generate = this.#generateMask;
    if (generate === null || this.#role === "server") return {};
    const fill = (keys: Uint8Array): void => {
      for (let at = 0; at < keys.length; at += 4) generate(keys.subarray(at, at + 4));
    };
    return { encoder: new FrameEncoder(new MaskKeys(fill)) };
  }
}
