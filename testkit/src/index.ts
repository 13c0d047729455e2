// Time, randomness and a transport under the test's control.
export { FakeClock } from "../../packages/holdfast/build/testing/fake/clock.js";
export { SeededRandom } from "./fake/seeded-random.js";
export { FakeTransport, type FakeTransportOptions } from "./fake/transport.js";

// Scripted peers on real sockets, and the frames they speak.
export {
  RawClient,
  type RawClientOptions,
  type UpgradeOptions,
} from "../../packages/holdfast/build/testing/raw/client.js";
export {
  RawServer,
  type RawScript,
  type RawServerOptions,
} from "../../packages/holdfast/build/testing/raw/server.js";
export { type AcceptOptions, RawServerPeer } from "../../packages/holdfast/build/testing/raw/server-peer.js";
export { type RawEnd, RawPeer, type WaitOptions } from "../../packages/holdfast/build/testing/raw/peer.js";
export {
  closePayload,
  frame,
  type FrameOptions,
  OPCODE,
  parseFrame,
  type RawFrame,
} from "../../packages/holdfast/build/testing/raw/frame.js";
export { acceptKey, type Head, type HeadersToSend } from "../../packages/holdfast/build/testing/raw/head.js";

// A proxy that simulates network faults.
export { FaultProxy, type FaultProxyOptions } from "../../packages/holdfast/build/testing/proxy/proxy.js";
export { type ProxyConnection } from "../../packages/holdfast/build/testing/proxy/connection.js";
export {
  type AcceptMode,
  type CutOptions,
  type Direction,
  type FaultControls,
  type Faults,
} from "../../packages/holdfast/build/testing/proxy/faults.js";

// Proxies for clients to connect through.
export { SocksServer, type SocksRequest, type SocksServerOptions } from "./tunnel/socks-server.js";
export { TunnelProxy, type TunnelProxyOptions, type TunnelRequest } from "./tunnel/tunnel-proxy.js";

// Helpers.
export { type BytesLike } from "../../packages/holdfast/build/testing/bytes.js";
export { type KeyAndCertificate, testCertificates, type TestCertificates } from "./certificates.js";
export { freePort } from "./free-port.js";
export { pauseProcess } from "./pause-process.js";
export { activeResources, assertNothingLeft, type ResourceCounts } from "./resources.js";
export { assertLinear, processorTime } from "./processor-time.js";
export { slowness } from "./slowness.js";
export { allOrNone } from "./all-or-none.js";
export { assertWithin, blockEventLoop, eventually, inAttempts, withTimeout } from "./waiting.js";
