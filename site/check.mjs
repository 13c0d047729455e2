// Checks the built site: links and anchors have targets, and no page loads anything from elsewhere.

import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, posix, sep } from "node:path";

/**
 * @param {string} folder of the built site
 * @param {string} base the path below which it is served
 * @returns {Promise<string[]>} a line for each problem
 */
export async function problems(folder, base) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll(sep, "/"),
    );
  const pages = new Map(
    files
      .filter((path) => path.endsWith(".html"))
      .map((path) => [path, parse(readFileSync(join(folder, path), "utf8"))]),
  );
  const site = { files: new Set(files), pages, base };
  const styles = files.filter((path) => path.endsWith(".css"));
  return [
    ...[...pages].flatMap(([path, page]) => problemsOf(path, page, site)),
    ...styles.flatMap((path) => outsideStyles(readFileSync(join(folder, path), "utf8"), path)),
  ];
}

/** Of generated HTML, whose attributes are quoted. */
export function parse(html) {
  const tags = [
    ...html.replace(/<(script|style)\b[^>]*>[^]*?<\/\1>/g, "<$1>").matchAll(/<([a-z][\w-]*)\s([^>]*)>/gi),
  ];
  const page = { links: [], resources: [], anchors: new Set() };
  for (const [, tag, text] of tags) {
    const attributes = Object.fromEntries(
      [...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
    );
    if (attributes.id !== undefined) page.anchors.add(attributes.id);
    if (tag === "a" && attributes.href !== undefined) page.links.push(attributes.href);
    if (tag === "link" && attributes.href !== undefined) page.resources.push(attributes.href);
    if (attributes.src !== undefined) page.resources.push(attributes.src);
  }
  for (const [, source] of html.matchAll(/<script\b[^>]*\ssrc="([^"]*)"/g)) page.resources.push(source);
  return page;
}

function problemsOf(path, { links, resources }, site) {
  return [
    ...links
      .filter((target) => isBroken(path, target, site))
      .map((target) => `${path}: no target for the link ${target}`),
    ...resources
      .filter((target) => isOutside(target) || isBroken(path, target, site))
      .map((target) => `${path}: loads ${target}`),
  ];
}

function isOutside(target) {
  return /^(\w+:)?\/\//.test(target);
}

function isBroken(path, target, { files, pages, base }) {
  if (/^[a-z][a-z+.-]*:/i.test(target)) return false;
  const [file, anchor] = decodeURI(target).split("#");
  if (file.startsWith("/") && !file.startsWith(base)) return true;
  const wanted =
    file === ""
      ? path
      : file.startsWith("/")
        ? file.slice(base.length)
        : posix.join(posix.dirname(path), file);
  const found = [wanted, `${wanted}.html`, posix.join(wanted, "index.html")].find((name) => files.has(name));
  if (found === undefined) return true;
  return Boolean(anchor) && pages.has(found) && !pages.get(found).anchors.has(anchor);
}

function outsideStyles(text, path) {
  const loaded = [...text.matchAll(/url\(\s*["']?([^"')]*)|@import\s+["']([^"']*)/g)].map(
    ([, url, sheet]) => url ?? sheet,
  );
  return loaded.filter(isOutside).map((target) => `${path}: loads ${target}`);
}
