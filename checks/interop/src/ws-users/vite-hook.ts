// Replaces the server of the `ws` that Vite bundles.

import { register } from "node:module";

const hooks = `
export async function load(url, context, next) {
  const loaded = await next(url, context);
  if (!/\\/vite\\/dist\\/node\\/.*\\.js$/.test(url) || loaded.source == null) return loaded;
  const source = loaded.source.toString();
  const before = "import_websocket_server.default;";
  if (!source.includes(before)) return loaded;
  return { ...loaded, source: source.replace(before, "globalThis.replacedWebSocketServer;") };
}
`;

register(`data:text/javascript,${encodeURIComponent(hooks)}`);
