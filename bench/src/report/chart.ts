// The chart of the ratios: how many times less than the base holdfast costs, per workload, on a logarithmic
// scale. Plain SVG that follows the reader's light or dark setting, with all figures in its description.

import type { Summary } from "./summary.js";

const LEFT = 236;
const WIDTH = 860;
const RIGHT = 76;
const TOP = 76;
const ROW = 24;
const BAR = 14;

/** Peers that are shown as dots next to the bars. */
const DOTS = [
  { peer: "ws-bufferutil", name: "ws + bufferutil", css: "native" },
  { peer: "bun", name: "Bun", css: "bun" },
] as const;

interface Line {
  readonly label: string;
  readonly base: string;
  readonly ratio: number;
  readonly dots: readonly { readonly css: string; readonly ratio: number }[];
}

export function renderChart(summaries: readonly Summary[]): string {
  const lines = summaries.flatMap(lineOf);
  const ratios = lines.flatMap((line) => [line.ratio, ...line.dots.map((dot) => dot.ratio)]);
  const scale = new Scale(ratios);
  const height = TOP + lines.length * ROW + 20;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title description">`,
    `<title id="title">The cost of ws, divided by the cost of holdfast</title>`,
    `<desc id="description">${escaped(describe(lines))}</desc>`,
    style,
    `<rect class="ground" width="${WIDTH}" height="${height}" rx="8"/>`,
    `<text class="heading" x="20" y="30">ws ÷ holdfast</text>`,
    legend(),
    ...scale.ticks.map((tick) => grid(scale, tick, height)),
    ...lines.map((line, index) => bar(scale, line, TOP + index * ROW)),
    "</svg>",
    "",
  ].join("\n");
}

/** A logarithmic scale from the smallest ratio to the largest. */
class Scale {
  readonly ticks: readonly number[];
  readonly #first: number;
  readonly #last: number;

  constructor(ratios: readonly number[]) {
    this.#first = Math.min(-1, Math.floor(Math.log2(Math.min(1, ...ratios))));
    this.#last = Math.max(3, Math.ceil(Math.log2(Math.max(1, ...ratios))));
    this.ticks = Array.from({ length: this.#last - this.#first + 1 }, (_, step) => 2 ** (this.#first + step));
  }

  x(ratio: number): number {
    const place = (Math.log2(ratio) - this.#first) / (this.#last - this.#first);
    return Math.round((LEFT + place * (WIDTH - LEFT - RIGHT)) * 10) / 10;
  }
}

function lineOf(summary: Summary): Line[] {
  const ratioOf = (peer: string): number | null =>
    summary.rows.find((row) => row.peer === peer)?.ratio?.median ?? null;
  const own = summary.rows.find((row) => row.peer === summary.subject && row.ratio !== null);
  if (own?.ratio === null || own?.ratio === undefined) return [];
  const dots = DOTS.flatMap(({ peer, css }) => {
    const ratio = ratioOf(peer);
    return ratio === null ? [] : [{ css, ratio }];
  });
  return [{ label: `${summary.id}  ${summary.label}`, base: summary.base, ratio: own.ratio.median, dots }];
}

function grid(scale: Scale, tick: number, height: number): string {
  const x = scale.x(tick);
  const name = tick < 1 ? `1/${1 / tick}` : `${tick}×`;
  const css = tick === 1 ? "even" : "grid";
  return (
    `<line class="${css}" x1="${x}" x2="${x}" y1="${TOP - 6}" y2="${height - 14}"/>` +
    `<text class="tick" x="${x}" y="${TOP - 12}">${name}</text>`
  );
}

function bar(scale: Scale, line: Line, top: number): string {
  const [from, to] = [scale.x(1), scale.x(line.ratio)];
  const [left, width] = [Math.min(from, to), Math.max(1, Math.abs(to - from))];
  const middle = top + BAR / 2;
  const value = line.ratio.toFixed(line.ratio < 10 ? 2 : 1);
  return [
    `<text class="label" x="20" y="${middle + 4}">${escaped(line.label)}</text>`,
    `<rect class="${line.ratio < 1 ? "behind" : "bar"}" x="${left}" y="${top}" width="${round(width)}" height="${BAR}" rx="2"/>`,
    ...line.dots.map((dot) => `<circle class="${dot.css}" cx="${scale.x(dot.ratio)}" cy="${middle}" r="4"/>`),
    `<text class="value" x="${WIDTH - 20}" y="${middle + 4}">${value}</text>`,
  ].join("");
}

function legend(): string {
  const entries = [{ name: "holdfast", css: "bar" }, { name: "where it costs more", css: "behind" }, ...DOTS];
  return entries
    .map(({ name, css }, index) => {
      const x = LEFT + index * 160;
      const mark =
        css === "bar" || css === "behind"
          ? `<rect class="${css}" x="${x - 6}" y="20" width="12" height="12" rx="2"/>`
          : `<circle class="${css}" cx="${x}" cy="26" r="4"/>`;
      return `${mark}<text class="label" x="${x + 12}" y="30">${name}</text>`;
    })
    .join("");
}

function describe(lines: readonly Line[]): string {
  const figures = lines.map(({ label, base, ratio }) => `${label}: ${ratio.toFixed(2)} (${base})`);
  return `CPU time, for the lines called memory resident bytes, of the peer in parentheses divided by those of holdfast. ${figures.join("; ")}.`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

const style = `<style>
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
.heading { font-size: 16px; font-weight: 600; }
.tick { fill: #59636e; text-anchor: middle; font-size: 11px; }
.value { font-variant-numeric: tabular-nums; font-weight: 600; text-anchor: end; }
.ground { fill: #ffffff; }
.grid { stroke: #d1d9e0; }
.even { stroke: #59636e; }
.bar { fill: #1f6feb; }
.behind { fill: #bc4c00; }
.native { fill: #ffffff; stroke: #1a7f37; stroke-width: 2; }
.bun { fill: #ffffff; stroke: #8250df; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.tick { fill: #9198a1; }
.ground { fill: #0d1117; }
.grid { stroke: #2f353d; }
.even { stroke: #9198a1; }
.bar { fill: #4493f8; }
.behind { fill: #db6d28; }
.native { fill: #0d1117; stroke: #3fb950; }
.bun { fill: #0d1117; stroke: #ab7df8; }
}
</style>`;
