// The pages by task: the bar on top and the column on the left.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { filesBelow } from "../scripts/lib/files.mjs";
import { root } from "../scripts/lib/root.mjs";
import { sitePages } from "./pages.mjs";

/** The titles are short; each page has its own. */
const groups = [
  [
    "Begin",
    [
      ["Getting started", "getting-started"],
      ["Which client when", "which-client"],
      ["Recipes", "recipes"],
      ["Questions", "faq"],
      ["Coming from …", "coming-from"],
    ],
  ],
  [
    "Connect",
    [
      ["Connections", "connecting"],
      ["Keepalive and latency", "keepalive"],
      ["Staying connected", "persistent"],
      ["Sessions: lose nothing", "sessions"],
      ["Streams of events", "events"],
      ["Large messages, streams", "streams"],
      ["The class WebSocket", "websocket"],
      ["HTTP/2", "http2"],
    ],
  ],
  [
    "In a page",
    [
      ["Browsers", "browser"],
      ["Vite", "vite"],
      ["React", "react"],
    ],
  ],
  [
    "Serve",
    [
      ["Servers", "server"],
      ["Log users in: Express, JWT", "logins"],
      ["Rooms", "rooms"],
      ["Topics: many processes", "topics"],
      ["Many processes, many machines", "many-processes"],
      ["Redis", "redis"],
      ["Security", "security"],
    ],
  ],
  [
    "Operate",
    [
      ["Reverse proxies", "deployment"],
      ["Shutting down", "deployment-shutdown"],
      ["Docker, Kubernetes, systemd", "docker"],
      ["Other runtimes, the edge", "edge-runtimes"],
      ["Logs and metrics", "logging"],
      ["The inspector", "inspector"],
      ["Testing", "testing"],
      ["Performance", "performance"],
      ["The command line", "cli"],
    ],
  ],
  [
    "Something is wrong",
    [
      ["Why did it close?", "why-closed"],
      ["Error messages", "error-messages"],
    ],
  ],
  [
    "How it is made",
    [
      ["All pages", "overview"],
      ["Architecture", "architecture"],
      ["Promises", "promises"],
      ["Link protocol", "link-protocol"],
      ["Interoperability", "interoperability"],
      ["Benchmark results", "benchmarks"],
      ["@holdfast/redis", "packages/redis"],
      ["@holdfast/nats", "packages/nats"],
      ["@holdfast/ws", "packages/ws"],
      ["Changes", "changelog"],
      ["Reporting vulnerabilities", "security-policy"],
      ["Contributing", "contributing"],
    ],
  ],
];

export const bar = [
  { text: "Start", link: "/getting-started" },
  { text: "Recipes", link: "/recipes" },
  { text: "Why did it close?", link: "/why-closed" },
  { text: "API", link: "/api/" },
];

/** The columns; pages of the API have another one. */
export function columns() {
  requireAllPages();
  return {
    "/": groups.map(([text, items], index) => ({
      text,
      collapsed: index >= groups.length - 1,
      items: items.map(([title, page]) => ({ text: title, link: `/${page}` })),
    })),
    "/api/": [{ text: "All pages", link: "/overview" }, ...modules()],
  };
}

function requireAllPages() {
  const listed = new Set(groups.flatMap(([, items]) => items.map(([, page]) => `${page}.md`)));
  const missing = [...sitePages().values()].filter(
    (page) => page !== "index.md" && !page.startsWith("api/") && !listed.has(page),
  );
  if (missing.length > 0) throw new Error(`Expected ${missing.join(", ")} in site/navigation.mjs.`);
}

/** Functions and classes; the page of the module lists the types too. */
function modules() {
  const titles = readFileSync(join(root, "docs/api/README.md"), "utf8").matchAll(
    /\((@?holdfast[^()]*)\/README\.md\)/g,
  );
  const names = [...titles].map(([, name]) => name);
  return names.map((name) => ({
    text: name,
    link: `/api/${name}/`,
    collapsed: name !== "holdfast",
    items: ["functions", "classes"].flatMap((kind) =>
      filesBelow(`docs/api/${name}/${kind}`)
        .map((path) => /([^/]+)\.md$/.exec(path)[1])
        .sort()
        .map((text) => ({ text, link: `/api/${name}/${kind}/${text}` })),
    ),
  }));
}
