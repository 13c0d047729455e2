// Makes the library's declarations compile where Node's types are not installed: a page under a bundler imports
// "holdfast", whose declarations name streams and options of TLS. Where Node's types are missing, these are `any`.

/** A line of code that cannot be resolved without Node's types. */
const needsNode =
  /^(?!\s*(?:\*|\/\/(?!\/ <reference)|\/\*)).*(?:from "node:|types="node"|\bBuffer\b|\bNodeJS\.)/;

/** The compiler reports nothing on the line below. */
const directive = "// @ts-ignore -- Node's types may be missing.";

export function relax(text) {
  const lines = text.split("\n");
  return lines
    .flatMap((line, index) => {
      const isCovered = lines[index - 1]?.trim() === directive;
      return needsNode.test(line) && !isCovered ? [`${/^\s*/.exec(line)[0]}${directive}`, line] : [line];
    })
    .join("\n");
}
