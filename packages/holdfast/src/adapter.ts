/// <reference types="node" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
// Entry point `holdfast/adapter` for Node.js, Bun and Deno: for packages that offer the interface of another library.

export { Adopter } from "./adopt/adopter.js";
export type { AdopterOptions, AdoptedHandshake } from "./adopt/adopter.js";
export { AdoptedConnection } from "./adopt/adopted-connection.js";
export type { AdoptedHandler, AdoptedSendOptions } from "./adopt/adopted-connection.js";
export { openSocket } from "./adopt/open-socket.js";
export { AgreedCompression } from "./adopt/agreed-compression.js";
