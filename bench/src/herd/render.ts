// Formats the herd's results as Markdown.

import { HOLDFAST, holdfastPages, LAWS, widthOf } from "./laws.js";
import { simulate, type HerdResult } from "./simulate.js";

export interface HerdSetting {
  readonly clients: number;
  readonly seed: number;
}

/** Milliseconds that the server is down. */
export const OUTAGES = [3_000, 30_000] as const;

/** The page HERD.md, formatted as Prettier does. */
export function renderHerd({ clients, seed }: HerdSetting): string {
  const intro = INTRO.replace("{clients}", clients.toLocaleString("en-US")).replace("{seed}", String(seed));
  const sections = OUTAGES.map((outage) => {
    const others = LAWS.filter((law) => law !== HOLDFAST);
    const rows = [HOLDFAST, holdfastPages(clients), ...others].map((law) => [
      law.client,
      law.summary,
      ...cellsOf(simulate(law, { clients, outage, seed })),
    ]);
    return `## The server is down for ${outage / 1_000} s\n\n${renderTable([HEADINGS, ...rows])}`;
  });
  return [intro, ...sections, renderWidths(seed)].join("\n");
}

/** Numbers of clients, from one to those of the table above. */
const SIZES = [1, 10, 100, 1_000, 10_000] as const;

/** Both policies of Holdfast after a restart without an outage, by the number of clients. */
function renderWidths(seed: number): string {
  const rows = SIZES.flatMap((clients) =>
    [HOLDFAST, holdfastPages(clients)].map((law, index) => {
      const { peak, back } = simulate(law, { clients, outage: 0, seed });
      return [
        clients.toLocaleString("en-US"),
        index === 0 ? "the client's own" : `the server's, ${widthOf(clients).toLocaleString("en-US")} ms`,
        String(Math.round(peak * clients)),
        percent(peak),
        ...[back.half, back.all].map(seconds),
      ];
    }),
  );
  return `${WIDTHS}\n${renderTable([WIDTH_HEADINGS, ...rows])}`;
}

const WIDTHS = `## The width that a server sets

A Holdfast server sends pages the time over which to spread, depending on the number of its connections
([docs/link-protocol.md](../docs/link-protocol.md)). In this table it returns at once, so that one attempt is enough: a
lone client does not wait longer than necessary.
`;

const WIDTH_HEADINGS = ["clients", "width of the first wait", "peak", "share", "50 % back", "all back"];

const INTRO = `# How a fleet reconnects

Written by \`npm run bench -- herd --write\`: a simulation of {clients} clients (seed {seed}) that lose their server in the
same millisecond. While it is down, attempts are refused immediately; afterwards they succeed immediately. So only the
clients' backoff spreads them. The backoffs are defaults, with their sources in [src/herd/laws.ts](src/herd/laws.ts).

- **Peak**: the most attempts in any 100 ms, as a share of the clients; and the same for attempts after the server's
  return, which may overload it again.
- **Attempts**: the average per client.
- **Back**: time from the server's return until this share of the clients is connected; “never” if clients stop retrying.
`;

const HEADINGS = [
  ...["client", "waits", "peak", "peak after the return", "attempts"],
  ...["50 % back", "99 % back", "all back"],
];

/** The first two columns contain words, the others numbers. */
const WORDS = 2;

function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const padded = (row: readonly string[]): string[] =>
    widths.map((width, column) => {
      const cell = row[column] ?? "";
      return column < WORDS ? cell.padEnd(width) : cell.padStart(width);
    });
  const rule = widths.map((width, column) =>
    column < WORDS ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  const [head = [], ...body] = rows.map(padded);
  return `${[head, rule, ...body].map(line).join("\n")}\n`;
}

function cellsOf({ peak, peakAfterReturn, attempts, back }: HerdResult): string[] {
  return [
    percent(peak),
    percent(peakAfterReturn),
    attempts.toFixed(1),
    ...[back.half, back.most, back.all].map(seconds),
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function seconds(ms: number | null): string {
  return ms === null ? "never" : `${(ms / 1_000).toFixed(1)} s`;
}
