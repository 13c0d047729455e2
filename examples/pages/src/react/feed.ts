import { ConnectionStore } from "./connection-store.js";

/** One connection for all components. It is in a separate file: hot reload of a component leaves it alone. */
export const feed = new ConnectionStore("/ws");
