import GithubSlugger from "github-slugger";
import { defineConfig } from "vitepress";
import { repositoryAddress } from "../../scripts/package/publisher.mjs";
import { repositoryLinks } from "../links.mjs";
import { bar, columns } from "../navigation.mjs";

const repository = repositoryAddress();
const POLICY =
  "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:";
const slugger = new GithubSlugger();

/**
 * The text of a page for the search. Headings of the API reference that stand in each of its entries would hide the pages
 * that explain. It runs in the build only: the pages forbid the functions that VitePress otherwise passes to them.
 */
function searchable(source, env, markdown) {
  const html = markdown.render(source, env);
  return env.relativePath.startsWith("api/") ? html.replaceAll(REPEATED_HEADING, "") : html;
}

const REPEATED_HEADING =
  /<h([2-6])\b[^>]*>\s*(?:Parameters|Returns|Throws|Default|Type Parameters|Overrides|Inherited from)\b.*?<\/h\1>/gs;

export default defineConfig({
  srcDir: "content",
  outDir: "dist",
  cacheDir: "../.cache/vitepress",
  base: process.env.DOCS_BASE ?? "/",
  title: "Holdfast",
  description: "WebSockets that know whether they are alive, how slow they are and why they ended.",
  lang: "en",
  head: [
    // No page can load anything from elsewhere.
    ["meta", { "http-equiv": "Content-Security-Policy", content: POLICY }],
    ["link", { rel: "icon", href: `${process.env.DOCS_BASE ?? "/"}icon.svg`, type: "image/svg+xml" }],
  ],
  metaChunk: true, // The names of the pages are loaded once, instead of being part of each page.
  markdown: {
    // The anchors of the repository's pages, which a test checks. markdown-it-anchor numbers what repeats.
    anchor: { slugify: (text) => (slugger.reset(), slugger.slug(text)) },
    languageAlias: { haproxy: "ini", caddyfile: "nginx", promql: "text" },
    config: (markdown) => repositoryLinks(markdown, repository),
  },
  themeConfig: {
    nav: bar,
    sidebar: columns(),
    outline: [2, 3],
    search: { provider: "local", options: { _render: searchable } },
    docFooter: { prev: false, next: false },
    ...(repository !== null && { socialLinks: [{ icon: "github", link: repository }] }),
  },
});
