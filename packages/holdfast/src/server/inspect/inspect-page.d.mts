// The page, which scripts/bundle-page.mjs bundles from inspect-page/ into build/server/inspect/inspect-page.mjs.

/** One HTML document with its style and its script. */
export const page: string;
