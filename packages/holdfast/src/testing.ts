/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
// Entry point `holdfast/testing` for Node.js, Bun and Deno: tools for the tests of applications (docs/testing.md).

export { connectionPair } from "./testing/connection-pair.js";
export type { ConnectionPair, ConnectionPairOptions } from "./testing/connection-pair.js";
export { FakeClock } from "./testing/fake/clock.js";

export { RawClient } from "./testing/raw/client.js";
export type { RawClientOptions, UpgradeOptions } from "./testing/raw/client.js";
export { RawServer } from "./testing/raw/server.js";
export type { RawScript, RawServerOptions } from "./testing/raw/server.js";
export { RawServerPeer } from "./testing/raw/server-peer.js";
export type { AcceptOptions } from "./testing/raw/server-peer.js";
export { RawPeer } from "./testing/raw/peer.js";
export type { RawEnd, RawPeerOptions, WaitOptions } from "./testing/raw/peer.js";
export { OPCODE } from "./testing/raw/frame.js";
export type { FrameOptions, RawFrame } from "./testing/raw/frame.js";
export type { Head, HeadersToSend } from "./testing/raw/head.js";
export type { BytesLike } from "./testing/bytes.js";

export { FaultProxy } from "./testing/proxy/proxy.js";
export type { FaultProxyOptions } from "./testing/proxy/proxy.js";
export { ProxyConnection } from "./testing/proxy/connection.js";
export { FaultControls } from "./testing/proxy/faults.js";
export type { AcceptMode, CutOptions, Direction, Faults } from "./testing/proxy/faults.js";
