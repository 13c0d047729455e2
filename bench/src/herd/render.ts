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
    return `## The server is away for ${outage / 1_000} s\n\n${renderTable([HEADINGS, ...rows])}`;
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

A server of Holdfast tells pages how wide to spread, by the number of its connections
([docs/link-protocol.md](../docs/link-protocol.md)). Here it is back at once, so that one attempt is enough: a lone client
does not wait for a herd that it is not part of.
`;

const WIDTH_HEADINGS = ["clients", "width of the first wait", "peak", "share", "50 % back", "all back"];

const INTRO = `# How a herd returns

Written by \`npm run bench:herd -- --write\`: a simulation of {clients} clients (seed {seed}) that lose their server in the
same millisecond. While it is away attempts are refused at once, and afterwards they succeed at once: nothing but the
clients' own law spreads them. The laws are defaults, with their sources in [src/herd/laws.ts](src/herd/laws.ts).

- **Peak**: the most attempts in any 100 ms, as a share of the clients; and of those that the server sees once it is
  back, which is what may fell it again.
- **Attempts**: for each client, on average.
- **Back**: time from the server's return until so many clients are connected; “never” where clients give up.
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
