// A reporter for node:test that writes what scripts/test.mjs needs for its closing lines, one JSON value per line:
// the runner's own counts, the tests that were run, and every test that was skipped or is still to do, with the reason.

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

/** Why a test was not really run; null where it was. Node 20 reports what a name filter left out as skipped. */
function omission({ skip, todo }) {
  if (skip === "test name does not match pattern") return null;
  if (skip !== undefined && skip !== false) return skip === true || skip === "" ? "no reason given" : skip;
  if (todo !== undefined && todo !== false)
    return typeof todo === "string" && todo !== "" ? `to do: ${todo}` : "to do";
  return null;
}

/** Node 22 and later report a file in which a name filter left nothing as a test of the file's name that passed. */
function isFile({ name, file }) {
  return typeof file === "string" && file.endsWith(name);
}

function line(value) {
  return `${JSON.stringify(value)}\n`;
}
