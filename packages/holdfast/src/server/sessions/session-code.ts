// The code that a server with sessions loads.

export { SessionRegistry } from "./session-registry.js";
export { overSessionLink } from "../../transport/session/session-link.js";
