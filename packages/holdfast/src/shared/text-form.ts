// The option `text`. A file of its own: the declarations that pages load name it, and nothing of Node.js.

/** What a text message is told as: a string, or the UTF-8 that it came in. */
export type TextForm = "string" | "bytes";
