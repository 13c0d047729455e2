// Redirects that a client follows.

import { urlOf, type Library, type Scenario, type Stage } from "../trace.js";

/** Redirects the first request, and accepts the second. */
async function redirected(
  library: Library,
  stage: Stage,
  options: object,
  { listens = false, target = "/next" }: { listens?: boolean; target?: string } = {},
): Promise<void> {
  const inner = new library.Server({ noServer: true });
  const onUpgrade: Parameters<Stage["http"]>[0] = (request, socket, head) => {
    if (request.url === "/next") {
      const { authorization, cookie, host } = request.headers;
      stage.note("second", authorization, cookie, host === "other");
      inner.handleUpgrade(request, socket, head, (each) => each.close());
    } else {
      socket.end(`HTTP/1.1 302 Found\r\nLocation: ${target.replace("{other}", urlOf(other))}\r\n\r\n`);
    }
  };
  const other = await stage.http(onUpgrade);
  const server = await stage.http(onUpgrade);
  const client = new library(urlOf(server), options);
  if (listens)
    client.on("redirect", (url, request) => stage.note("redirect", new URL(url).pathname, request.method));
  await stage.watch(client);
  stage.note(new URL(client.url).pathname);
}

export const redirectScenarios: Readonly<Record<string, Scenario>> = {
  "a redirect": (library, stage) => redirected(library, stage, { followRedirects: true }, { listens: true }),
  "too many redirects": (library, stage) =>
    redirected(
      library,
      stage,
      { followRedirects: true, maxRedirects: 1 },
      { target: "/again", listens: true },
    ),
  "a redirect to an invalid URL": (library, stage) =>
    redirected(library, stage, { followRedirects: true }, { target: "ws://" }),
  "a redirect to another scheme": (library, stage) =>
    redirected(library, stage, { followRedirects: true }, { target: "bad-scheme://localhost" }),
  "a redirect to another host drops credentials": (library, stage) =>
    redirected(
      library,
      stage,
      { followRedirects: true, headers: { Authorization: "Basic x", Cookie: "a=b", Host: "other" } },
      { target: "{other}/next" },
    ),
  "a redirect to another host, with a listener, keeps credentials": (library, stage) =>
    redirected(
      library,
      stage,
      { followRedirects: true, headers: { Authorization: "Basic x", Cookie: "a=b", Host: "other" } },
      { target: "{other}/next", listens: true },
    ),
  "a redirect on the same host keeps credentials": (library, stage) =>
    redirected(library, stage, { followRedirects: true, auth: "foo:bar", headers: { cookie: "a=b" } }),
  "close() in a listener of redirect": async (library, stage) => {
    const server = await stage.http((_, socket) =>
      socket.end("HTTP/1.1 302 Found\r\nLocation: /foo\r\n\r\n"),
    );
    const client = new library(urlOf(server), { followRedirects: true });
    client.on("redirect", () => client.close());
    await stage.watch(client);
  },
};
