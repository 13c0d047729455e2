// The Markdown pages of this repository: their code blocks, their links, and the anchors of their headings.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import GithubSlugger from "github-slugger";
import MarkdownIt from "markdown-it";
import { filesBelow } from "../lib/files.mjs";
import { root } from "../lib/root.mjs";

const markdown = new MarkdownIt("commonmark").enable("table");

/** Parses every page of the repository with `read`. */
export function allPages() {
  return tracked("*.md").map(read);
}

/** The files that git tracks; without git or outside of a clone, the existing files. */
function tracked(pattern) {
  try {
    const options = { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] };
    const listed = execFileSync(
      "git",
      ["ls-files", "--cached", "--others", "--exclude-standard", pattern],
      options,
    );
    return listed.split("\n").filter((path) => path !== "" && existsSync(join(root, path)));
  } catch {
    return [...filesBelow("docs").filter((path) => path.endsWith(".md")), "README.md"];
  }
}

/**
 * @param {string} path relative to the root
 * @returns {{ path: string, blocks: Block[], links: Link[], anchors: Set<string>, headings: string[] }}
 */
function read(path) {
  return parse(path, readFileSync(join(root, path), "utf8"));
}

/** Parses a page. Line numbers start at 1 and refer to the page. */
export function parse(path, text) {
  const slugger = new GithubSlugger();
  const page = { path, blocks: [], links: [], anchors: new Set(), headings: [] };
  const tokens = markdown.parse(text, {});
  let line = 1;
  for (const [index, token] of tokens.entries()) {
    line = token.map === null ? line : token.map[0] + 1;
    if (token.type === "fence") page.blocks.push(blockOf(token, line));
    if (token.type === "heading_open") {
      const heading = textOf(tokens[index + 1].children);
      page.headings.push(heading);
      page.anchors.add(slugger.slug(heading));
    }
    if (token.type === "inline") page.links.push(...linksOf(token.children, line));
  }
  return page;
}

/** `ts run` is language `ts` with the flag `run`. The code begins one line below its fence. */
function blockOf({ info, content }, line) {
  const [language, ...flags] = info.trim().split(/\s+/);
  return { language, flags, code: content, line: line + 1 };
}

function linksOf(tokens, line) {
  return tokens.flatMap((token) => {
    const target = token.attrGet("href") ?? token.attrGet("src");
    return target === null ? [] : [{ target: decodeURI(target), line }];
  });
}

function textOf(tokens) {
  return tokens.map(({ content }) => content).join("");
}
