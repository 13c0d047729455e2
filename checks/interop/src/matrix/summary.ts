// The README's table: for each peer of MATRIX.md and each end, how many things were tested and how many work.

const BEGIN = "<!-- interop:begin, made by `npm run interop:table` -->";
const END = "<!-- interop:end -->";

/** Returns the README with its table regenerated from the tables of MATRIX.md. */
export function withSummary(readme: string, matrix: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin === -1 || end < begin)
    throw new Error(`Expected the README to have a place between ${BEGIN} and ${END}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${renderSummary(matrix)}\n\n${readme.slice(end)}`;
}

function renderSummary(matrix: string): string {
  const peers = new Map<string, Map<string, string>>();
  let head: readonly string[] = [];
  for (const cells of tableRows(matrix)) {
    if (cells.includes("Version")) head = cells;
    if (cells.includes("Version") || cells[0]?.startsWith("--") === true) continue;
    const position = cells[head.indexOf("as")] ?? "between";
    const name = [cells[0], cells[1]].filter((part) => part !== "").join(" ");
    const roles = peers.get(name) ?? new Map<string, string>();
    peers.set(name, roles.set(position, counted(cells)));
  }
  const rows = [...peers].map(([name, roles]) =>
    [name, ...["server", "client", "between"].map((position) => roles.get(position) ?? "–")].join(" | "),
  );
  const lead = "| Peer | as server | as client | in between, or beside |\n| --- | :-: | :-: | :-: |";
  return [lead, ...rows.map((row) => `| ${row} |`)].join("\n");
}

/** The number of things that work, of those tested. */
function counted(cells: readonly string[]): string {
  const works = cells.filter((cell) => cell.startsWith("✓")).length;
  const fails = cells.filter((cell) => cell.startsWith("✗") || cell.startsWith("?")).length;
  return fails === 0 ? `✓ ${works}` : `${works} of ${works + fails}`;
}

function tableRows(markdown: string): readonly (readonly string[])[] {
  const lines = markdown.split("\n").filter((line) => line.startsWith("|"));
  return lines.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
