// The two ends. A file of its own: the declarations that pages load name it, and nothing of Node.js.

export type Role = "client" | "server";
