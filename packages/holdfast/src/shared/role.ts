/** The two ends of a connection. */
export type Role = "client" | "server";
