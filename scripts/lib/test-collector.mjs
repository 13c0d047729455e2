// A reporter for node:test that writes the data for the last lines of scripts/test.mjs, one JSON value per
// line: the runner's own counts, the tests that ran, and every skipped or unfinished test with its reason.

export default async function* collect(events) {
  for await (const { type, data } of events) {
    if (type === "test:pass" || type === "test:fail") {
      const reason = omission(data);
      if (reason !== null) yield line({ name: data.name, file: data.file ?? null, reason });
      else if (!isFile(data)) yield line({ ran: data.name });
    } else if (type === "test:diagnostic" && data.nesting === 0) {
      const [, word, count] = /^(\w+) (\d+)$/.exec(data.message) ?? [];
      if (word !== undefined) yield line({ word, count: Number(count) });
    }
  }
}

/**
 * Why a test did not really run; null if it did. Node 20 reports tests that a name filter excluded as
 * skipped.
 */
function omission({ skip, todo }) {
  if (skip === "test name does not match pattern") return null;
  if (skip !== undefined && skip !== false) return skip === true || skip === "" ? "no reason given" : skip;
  if (todo !== undefined && todo !== false)
    return typeof todo === "string" && todo !== "" ? `to do: ${todo}` : "to do";
  return null;
}

/**
 * If a name filter excludes all tests of a file, Node 22 and later report the file itself as a passed test.
 */
function isFile({ name, file }) {
  return typeof file === "string" && file.endsWith(name);
}

function line(value) {
  return `${JSON.stringify(value)}\n`;
}
