// Type tests of the options of calls and of the browser's own options; option-types.test.ts has the rest.
// Each option is listed by name with valid values. An option without a line here does not compile, and no
// name may be missing (scripts/api/api.test.mjs).

import type * as node from "holdfast";
import type * as browser from "holdfast/browser";
import type * as websocket from "holdfast/websocket";

type Fitting<Options> = { readonly [Name in keyof Required<Options>]: readonly Options[Name][] };

const { signal } = new AbortController();
const call = { signal: [signal, null] } as const;

export const ofCall: Fitting<node.CallOptions> = call;
export const ofPing: Fitting<node.PingOptions> = { ...call, timeout: [500, null] };
export const ofReceive: Fitting<node.ReceiveOptions> = { ...call, timeout: [500, null] };
export const ofReceiveStream: Fitting<node.ReceiveStreamOptions> = { ...call, maxSize: [1_048_576, null] };
export const ofNodeStream: Fitting<node.NodeStreamOptions> = {
  ...call,
  objectMode: [true],
  readableObjectMode: [true],
  writableObjectMode: [false],
  highWaterMark: [65_536],
  readable: [false],
};
export const ofSend: Fitting<node.SendOptions> = {
  ...call,
  compress: [true],
  until: ["sent", "delivered"],
};
export const ofBuffer: Fitting<websocket.BufferOptions> = { maxBufferedAmount: [1_048_576, null] };
export const ofFileStore: Fitting<node.FileStoreOptions> = { directory: ["/var/lib/app/sessions"] };
export const ofHeartbeat: Fitting<node.HeartbeatOptions> = { ...call, timeout: [500], interval: [0, 1_000] };
export const ofKeepalive: Fitting<node.KeepaliveOptions> = {
  ...call,
  interval: [1_000],
  message: [(n: number) => `beat ${n}`, () => new Uint8Array(1)],
};
export const ofServerClose: Fitting<node.ServerCloseOptions> = {
  ...call,
  code: [1012],
  reason: ["update"],
  timeout: [25_000],
  spread: [10_000],
};
export const ofAttach: Fitting<Pick<node.AttachOptions, "closeWithServer">> = {
  closeWithServer: [true, { code: 1012, timeout: 25_000 }],
};
export const ofInspect: Fitting<Pick<node.InspectOptions, "actions" | "payloads" | "topics">> = {
  actions: [true],
  payloads: ["off", "text"],
  topics: [undefined],
};
export const ofCompression: Fitting<node.CompressionOptions> = {
  level: [6],
  memLevel: [8],
  threshold: [256],
  serverMaxWindowBits: [12],
  clientMaxWindowBits: [12],
  serverNoContextTakeover: [true],
  clientNoContextTakeover: [true],
};
export const ofBasicAuth: Fitting<Pick<node.BasicAuthOptions, "realm">> = { realm: ["staff"] };
export const ofErrors: Fitting<node.HandshakeErrorOptions> = {
  code: ["ERR_HOLDFAST_REFUSED"],
  cause: [new Error("refused"), undefined],
  failure: ["refused", "dns"],
};
export const ofPages: Fitting<Pick<browser.ConnectOptions, "heartbeat">> = {
  heartbeat: [{ ping: (n) => `ping ${n}`, isPong: (message) => message === "pong" }],
};

// @ts-expect-error -- a duration is a number
export const wrongTimeout: node.PingOptions = { timeout: "500" };
// @ts-expect-error -- a message is made by a function
export const wrongMessage: node.KeepaliveOptions = { interval: 1_000, message: "beat" };
// @ts-expect-error -- there is no such option
export const noOption: node.ServerCloseOptions = { delay: 1_000 };
