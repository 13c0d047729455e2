// Makes the library's declarations compile without Node's types, and without those of the DOM. A page under a bundler
// imports "holdfast", whose declarations name streams and TLS options; a program for Node.js without the library "dom"
// imports declarations that name a page's workers and events. Types that are missing are `any`.

/** A line of code that cannot be resolved without Node's types, or without those of the DOM. */
const needsTypes =
  /^(?!\s*(?:\*|\/\/(?!\/ <reference)|\/\*)).*(?:(?:from|import) ["']node:|types="node"|\bBuffer\b|\bNodeJS\.|: Worker\b|\bEventInit\b|\bEventListenerO|\bAddEventListenerOptions\b)/;

/** The compiler reports nothing on the line below. */
const directive = "// @ts-ignore -- Types of Node or the DOM may be missing.";

export function relax(text) {
  const lines = text.split("\n");
  return lines
    .flatMap((line, index) => {
      const isCovered = lines[index - 1]?.trim() === directive;
      return needsTypes.test(line) && !isCovered ? [`${/^\s*/.exec(line)[0]}${directive}`, line] : [line];
    })
    .join("\n");
}

/** Names in the bundled declarations that no entry exports. */
export function findInternal(chunks) {
  const files = new Map(chunks.map(({ fileName, code, isEntry }) => [fileName, { code, isEntry }]));
  const exported = new Set();
  for (const [file, { code, isEntry }] of files) {
    if (!isEntry) continue;
    const imported = new Map();
    for (const [, names, from] of code.matchAll(/^import (?:type )?\{([^}]*)\} from '\.\/([^']+)';/gm)) {
      const chunk = from.replace(/\.js$/, ".d.ts");
      const locals = invert(listNames(files.get(chunk)?.code.match(/^export (?:type )?\{[^}]*\};/gm)));
      for (const [name, alias] of splitNames(names)) imported.set(alias, `${chunk} ${locals.get(name)}`);
    }
    for (const [, names, from] of code.matchAll(/^export (?:type )?\{([^}]*)\}(?: from '\.\/([^']+)')?;/gm)) {
      const chunk = from?.replace(/\.js$/, ".d.ts");
      const locals = invert(listNames(files.get(chunk)?.code.match(/^export (?:type )?\{[^}]*\};/gm)));
      for (const [name] of splitNames(names)) {
        exported.add(chunk ? `${chunk} ${locals.get(name)}` : (imported.get(name) ?? `${file} ${name}`));
      }
    }
  }
  return [...files].flatMap(([file, { code }]) =>
    [...code.matchAll(declaration)]
      .map(([, name]) => name)
      .filter((name) => !exported.has(`${file} ${name}`)),
  );
}

const declaration = /^(?:declare |export )*(?:abstract )?(?:class|interface|type|const|function) ([\w$]+)/gm;

function listNames(statements) {
  return (statements ?? []).flatMap((text) => splitNames(/\{([^}]*)\}/.exec(text)[1]));
}

/** Parses `a, b as c` into pairs of the internal and the exported name. */
function splitNames(text) {
  return text.split(",").map((part) => {
    const [name, alias = name] = part
      .trim()
      .replace(/^type /, "")
      .split(" as ");
    return [name, alias];
  });
}

function invert(pairs) {
  return new Map(pairs.map(([name, alias]) => [alias, name]));
}
