// The API reference: one page per exported name, generated from the doc comments (docs/api/). The pages are
// committed, so that they can be read in the repository, and a review shows how a change affects them.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, posix, relative } from "node:path";
import { Application, Converter, ReflectionKind } from "typedoc";
import { filesBelow } from "../lib/files.mjs";
import { root } from "../lib/root.mjs";

/** The folder of the pages, relative to the root. */
export const referenceFolder = "docs/api";

/** The import name of each entry, by its module below packages/. TypeDoc calls an index by its folder. */
const entryNames = {
  "holdfast/src": "holdfast",
  "holdfast/src/browser": "holdfast/browser",
  "holdfast/src/topics": "holdfast/topics",
  "holdfast/src/websocket": "holdfast/websocket",
  "holdfast/src/testing": "holdfast/testing",
  "holdfast/src/adapter": "holdfast/adapter",
  "redis/src": "@holdfast/redis",
  "nats/src": "@holdfast/nats",
};

/** Classes that users instantiate; the library creates the instances of all others. */
const constructible = new Set(["Client", "FakeClock", "RawPeer", "TextBytes"]);

/**
 * Generates the pages.
 *
 * @returns {Promise<Map<string, string>>} the text of each page, by its path below `referenceFolder`
 */
export async function makeReference() {
  mkdirSync(join(root, ".cache"), { recursive: true });
  const folder = mkdtempSync(join(root, ".cache", "api-"));
  try {
    const app = await Application.bootstrapWithPlugins(options(folder));
    app.converter.on(Converter.EVENT_CREATE_DECLARATION, leaveOutInternals);
    const project = await app.convert();
    if (project === undefined) throw new Error("The doc comments could not be read.");
    app.validate(project);
    for (const entry of project.children) entry.name = entryNames[entry.name];
    await app.generateOutputs(project);
    if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error("See the warnings above.");
    const pages = gatherThrows(readPages(folder));
    return pages.set("README.md", pages.get("README.md").replace(/^# .*\n/, INTRODUCTION));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Reads the committed pages, in the format of `makeReference()`. */
export function readReference() {
  return readPages(join(root, referenceFolder));
}

/** Replaces the existing pages. */
export function writeReference(pages) {
  rmSync(join(root, referenceFolder), { recursive: true, force: true });
  for (const [path, text] of pages) {
    const file = join(root, referenceFolder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

function options(out) {
  return {
    entryPoints: Object.keys(entryNames).map((name) =>
      join(root, "packages", `${name.endsWith("/src") ? `${name}/index` : name}.ts`),
    ),
    tsconfig: join(root, "scripts/api/tsconfig.json"),
    plugin: ["typedoc-plugin-markdown"],
    name: "API reference",
    readme: "none",
    out,
    logLevel: "Warn",
    skipErrorChecking: true, // The build checks the types.
    // Omit everything that differs between machines or commits.
    ...{ disableGit: true, disableSources: true, hideGenerator: true },
    ...{ excludePrivate: true, excludeInternal: true, excludeExternals: true },
    ...{ sort: ["alphabetical"], validation: { notExported: false, invalidLink: true } },
    ...{ outputFileStrategy: "members", useCodeBlocks: true, hidePageHeader: true },
    ...{ parametersFormat: "table", interfacePropertiesFormat: "list", formatWithPrettier: false },
    blockTags: ["@default", "@example", "@param", "@returns", "@throws", "@typeParam", "@see"],
  };
}

/** Omits members that need an internal symbol, and constructors that only the library calls. */
function leaveOutInternals(context, reflection) {
  const isHidden =
    reflection.name.startsWith("[") &&
    !/^\[(async)?(Iterator|Dispose|iterator|dispose)\]$/.test(reflection.name);
  const isForLibrary =
    reflection.kind === ReflectionKind.Constructor && !constructible.has(reflection.parent?.name);
  if (isHidden || isForLibrary) context.project.removeReflection(reflection);
}

/** The beginning of the index, which points to other pages that a reader may be looking for. */
const INTRODUCTION = `# API reference

Every exported name, made of the doc comments by \`npm run api\`. Durations are milliseconds, sizes are bytes; \`null\` switches a limit or a timer off.

To begin with, read [Getting started](../getting-started.md); for a task, look into the [list of pages](../README.md); for an error or a cause, into [Why did my connection close](../why-closed.md).
`;

function readPages(folder) {
  const below = relative(root, folder).replaceAll("\\", "/");
  return new Map(
    filesBelow(below).map((path) => [
      path.slice(below.length + 1),
      readFileSync(join(root, path), "utf8").replaceAll("\r\n", "\n"),
    ]),
  );
}

/**
 * Joins the errors of a function into one list with links, where TypeDoc makes a section of each `@throws`.
 */
function gatherThrows(pages) {
  const classes = new Map(
    [...pages.keys()].filter((path) => /\/classes\//.test(path)).map((path) => [basename(path, ".md"), path]),
  );
  return new Map([...pages].map(([path, text]) => [path, withOneList(path, text, classes)]));
}

function withOneList(path, text, classes) {
  const link = (name) => {
    const target = classes.get(name);
    return target === undefined ? name : `[${name}](${posix.relative(posix.dirname(path), target)})`;
  };
  const item = (section) =>
    `- ${section
      .trim()
      .replaceAll(/(?<![[`\w])[A-Z]\w+/g, link)
      .replaceAll("\n", "\n  ")}\n`;
  return text.replaceAll(
    /^(#+ Throws)\n\n(?:(?!#|\*\*\*).*\n)*(?:\1\n\n(?:(?!#|\*\*\*).*\n)*)*/gm,
    (sections, heading) => `${heading}\n\n${sections.split(`${heading}\n`).slice(1).map(item).join("")}\n`,
  );
}
