// The options of holdfast/testing and holdfast/adapter: values that fit, which have to compile, and ones that do not,
// which must not compile. No option may be missing (scripts/api/api.test.mjs).

import type { AdoptedSendOptions, AdopterOptions } from "holdfast/adapter";
import {
  FakeClock,
  type AcceptOptions,
  type ConnectionPairOptions,
  type CutOptions,
  type FaultProxyOptions,
  type FrameOptions,
  type RawClientOptions,
  type RawPeerOptions,
  type RawServerOptions,
  type UpgradeOptions,
  type WaitOptions,
} from "holdfast/testing";
import { Socket } from "node:net";

/** For each option, values that fit. */
type Fitting<Options> = { readonly [Name in keyof Required<Options>]: readonly Options[Name][] };

const address = { port: [8080], host: ["127.0.0.1"] } as const;
const headers = [{ Origin: "https://example.com", Cookie: ["a=1", "b=2"], Host: null }];
const stream = [new Socket()];

export const fitting = {
  ofPair: {
    clock: [new FakeClock(), null],
    client: [{ pingInterval: 1_000 }, undefined],
    server: [{ autoPong: false }],
    data: [{ name: "ada" }],
    subprotocol: ["chat", null],
  } satisfies Fitting<ConnectionPairOptions<{ readonly name: string }>>,
  ofRawServer: {
    ...address,
    tls: [{ key: "a key", cert: "a certificate" }],
    path: ["/tmp/peer.sock"],
    timeout: [1_000],
  } satisfies Fitting<RawServerOptions>,
  ofRawClient: {
    ...address,
    tls: [{ ca: "an authority" }],
    timeout: [1_000],
  } satisfies Fitting<RawClientOptions>,
  ofUpgrade: {
    path: ["/chat"],
    headers,
    glue: ["bytes", new Uint8Array(1)],
  } satisfies Fitting<UpgradeOptions>,
  ofAccept: { headers, accept: ["wrong"], glue: ["bytes"] } satisfies Fitting<AcceptOptions>,
  ofWait: { timeout: [1_000] } satisfies Fitting<WaitOptions>,
  ofPeer: { stream, tcp: stream, isMasking: [true], timeout: [1_000] } satisfies Fitting<RawPeerOptions>,
  ofFrame: {
    opcode: [1],
    payload: ["text", new Uint8Array(1)],
    isFinal: [false],
    rsv: [4],
    mask: [true, new Uint8Array(4)],
    lengthEncoding: ["minimal", 16, 64],
    declaredLength: [1, 2n ** 63n],
  } satisfies Fitting<FrameOptions>,
  ofProxy: {
    ...address,
    target: [{ port: 8080 }, { port: 8080, host: "::1" }],
  } satisfies Fitting<FaultProxyOptions>,
  ofCut: {
    kind: ["fin", "rst"],
    after: [{ direction: "toClient", bytes: 3 }],
  } satisfies Fitting<CutOptions>,
  ofAdopter: {
    role: ["client", "server"],
    firstPing: ["open", "interval"],
    closeReasons: [false],
    endsFirst: [true],
    generateMask: [(key) => void key.fill(0), undefined],
  } satisfies Fitting<
    Pick<AdopterOptions, "closeReasons" | "endsFirst" | "firstPing" | "generateMask" | "role">
  >,
  ofAdoptedSend: { compress: [true], onSent: [() => undefined, null] } satisfies Fitting<AdoptedSendOptions>,
};

export const wrong: readonly [
  ConnectionPairOptions,
  RawServerOptions,
  FrameOptions,
  CutOptions,
  AdopterOptions,
] = [
  // @ts-expect-error -- not a clock
  { clock: Date },
  // @ts-expect-error -- a port is a number
  { port: "8080" },
  // @ts-expect-error -- an opcode is a number
  { opcode: "text" },
  // @ts-expect-error -- there is no such kind
  { kind: "timeout" },
  // @ts-expect-error -- messages are bytes
  { role: "client", text: "string" },
];
