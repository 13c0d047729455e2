// Links between files of the repository, as links between pages of the site.

import { posix } from "node:path";
import { sitePages, sitePicture } from "./pages.mjs";

/**
 * A plugin for markdown-it. A link to a file that is no page leads to the repository; while there is no address of the
 * repository, it is plain text.
 *
 * @param {string | null} repository the address of its start page
 */
export function repositoryLinks(markdown, repository) {
  const pages = sitePages();
  const sources = new Map([...pages].map(([path, page]) => [page, path]));
  markdown.core.ruler.push("repository_links", ({ tokens, env }) => {
    const source = sources.get(env.relativePath);
    if (source === undefined) return;
    for (const token of tokens) if (token.type === "inline") rewrite(token.children, source);
  });

  function rewrite(tokens, source) {
    let isRemoved = false; // Links do not nest.
    for (const token of tokens) {
      if (token.type === "image") token.attrSet("src", picture(token.attrGet("src"), source));
      if (token.type === "link_open") {
        const target = link(token.attrGet("href"), source);
        isRemoved = target === null;
        if (isRemoved)
          token.attrs = [["title", `In the repository: ${pathFrom(token.attrGet("href"), source)}`]];
        else token.attrSet("href", target);
      }
      if (isRemoved && token.type.startsWith("link_"))
        Object.assign(token, { tag: "span", type: "text_span" });
    }
  }

  function link(target, source) {
    if (isElsewhere(target) || target.startsWith("#")) return target;
    const [, anchor] = target.split("#");
    const path = pathFrom(target, source);
    const page = pages.get(path) ?? pages.get(`${path}/README.md`);
    if (page !== undefined) return `/${page}${anchor === undefined ? "" : `#${anchor}`}`;
    return repository === null ? null : `${repository}/blob/main/${path}`;
  }

  function picture(target, source) {
    if (isElsewhere(target)) return target;
    return `/${sitePicture(posix.join(posix.dirname(source), target))}`;
  }
}

/** The path in the repository to which a link of `source` leads. */
function pathFrom(target, source) {
  const [file] = target.split("#");
  return posix.join(posix.dirname(source), decodeURI(file)).replace(/\/$/, "");
}

function isElsewhere(target) {
  return /^[a-z][a-z+.-]*:/i.test(target);
}
