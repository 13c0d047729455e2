// Draws the round-trip times of the last minute on a logarithmic scale, over bands for the times without
// answers.

const WINDOW = 60_000;
const HEIGHT = 190;
const LEFT = 50;
const BOTTOM = 20;
const SCALE = [1, 10, 100, 1_000];
const LOWEST = 0.3;
const HIGHEST = 4_000;

/** Late: a ping is in flight for longer than one interval. Dead: there is no connection. */
export type Band = "dead" | "late";

interface Stretch {
  readonly kind: Band;
  readonly from: number;
  to: number;
}

export class LatencyChart {
  readonly #svg: SVGSVGElement;
  #samples: (readonly [at: number, roundTrip: number])[] = [];
  #stretches: Stretch[] = [];

  constructor(svg: SVGSVGElement) {
    this.#svg = svg;
  }

  add(at: number, roundTrip: number): void {
    this.#samples.push([at, roundTrip]);
  }

  /** Marks the time from `from` to `to`. Extends the newest band if it is of the same kind and adjacent. */
  mark(kind: Band, from: number, to: number): void {
    const newest = this.#stretches.at(-1);
    if (newest?.kind === kind && newest.from === from) newest.to = to;
    else this.#stretches.push({ kind, from, to });
  }

  draw(now: number): void {
    const start = now - WINDOW;
    this.#samples = this.#samples.filter(([at]) => at >= start);
    this.#stretches = this.#stretches.filter(({ to }) => to >= start);
    const width = Math.max(this.#svg.clientWidth, 200);
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const x = (at: number): number => LEFT + ((Math.max(at, start) - start) / WINDOW) * (width - LEFT - 6);

    const bands = this.#stretches.map(({ kind, from, to }) =>
      shape("rect", {
        class: kind,
        x: x(from),
        y: 0,
        width: Math.max(x(to) - x(from), 1),
        height: HEIGHT - BOTTOM,
      }),
    );
    const grid = SCALE.flatMap((value) => [
      shape("line", { class: "grid", x1: LEFT, x2: width, y1: height(value), y2: height(value) }),
      shape("text", { x: LEFT - 6, y: height(value) + 4, "text-anchor": "end" }, label(value)),
    ]);
    const times = [
      shape("text", { x: LEFT, y: HEIGHT - 4 }, "1 minute ago"),
      shape("text", { x: width - 6, y: HEIGHT - 4, "text-anchor": "end" }, "now"),
    ];
    const lines = this.#runs().map((run) =>
      shape("polyline", {
        class: "samples",
        points: run.map(([at, value]) => `${x(at)},${height(value)}`).join(" "),
      }),
    );
    const dots = this.#samples.map(([at, value]) =>
      shape("circle", { class: "sample", cx: x(at), cy: height(value), r: 2.5 }),
    );
    this.#svg.replaceChildren(...bands, ...grid, ...times, ...lines, ...dots);
  }

  /** The samples of each connection separately, so that no line crosses the time between two connections. */
  #runs(): (readonly [number, number])[][] {
    const runs: (readonly [number, number])[][] = [];
    let previous = -Infinity;
    for (const sample of this.#samples) {
      const [at] = sample;
      const before = previous;
      const isCut = this.#stretches.some(({ kind, from }) => kind === "dead" && from > before && from <= at);
      if (isCut || runs.length === 0) runs.push([]);
      runs.at(-1)?.push(sample);
      previous = at;
    }
    return runs;
  }
}

function height(value: number): number {
  const bounded = Math.min(Math.max(value, LOWEST), HIGHEST);
  const share = Math.log(bounded / LOWEST) / Math.log(HIGHEST / LOWEST);
  return (HEIGHT - BOTTOM) * (1 - share);
}

function label(value: number): string {
  return value < 1_000 ? `${value} ms` : `${value / 1_000} s`;
}

function shape(name: string, attributes: Readonly<Record<string, number | string>>, text = ""): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) {
    made.setAttribute(attribute, typeof value === "number" ? String(Math.round(value * 10) / 10) : value);
  }
  if (text !== "") made.textContent = text;
  return made;
}
