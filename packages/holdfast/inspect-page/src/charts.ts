// The charts, drawn by uPlot: messages a second, connections, and the distribution of latency.

import uPlot from "uplot";
import { LATENCY_BOUNDS, type Totals } from "../../build/server/inspect/wire.js";
import { find } from "./elements.js";
import { count, short } from "./format.js";

/** Snapshots that the charts show: five minutes. */
const SHOWN = 300;
/** Seconds that the time axis shows at the beginning. */
const SHOWN_AT_LEAST = 60;
const HEIGHT = () => (innerWidth <= 640 ? 120 : 150);

interface Sample {
  readonly at: number;
  readonly received: number | null;
  readonly sent: number | null;
  readonly connections: number;
}

export class Charts {
  #samples: Sample[] = [];
  #histogram: readonly number[] = [];
  #plots: { readonly messages: uPlot; readonly population: uPlot; readonly histogram: uPlot } | null = null;

  constructor() {
    // Colours are drawn, so that a change of the theme draws again; and so does a change of the width.
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#rebuild());
    addEventListener("resize", () => this.#rebuild());
  }

  /** Begins again, for another process. */
  clear(): void {
    this.#samples = [];
  }

  add({ at, rates, connections, histogram, latency }: Totals): void {
    const received = rates?.messagesReceived ?? null;
    const sent = rates?.messagesSent ?? null;
    this.#samples.push({ at: at / 1_000, received, sent, connections });
    if (this.#samples.length > SHOWN) this.#samples.shift();
    this.#histogram = histogram;
    this.#plots ??= this.#build();
    this.#draw();
    describe("messages", `${short(received ?? 0)} received and ${short(sent ?? 0)} sent a second`);
    describe("population", `${count(connections)} connections`);
    describe(
      "histogram",
      latency === null
        ? "No latency measured yet"
        : `Half of the connections answer within ${latency.p50} ms`,
    );
  }

  #draw(): void {
    const plots = this.#plots;
    if (plots === null) return;
    const column = <Key extends keyof Sample>(key: Key): Sample[Key][] =>
      this.#samples.map((sample) => sample[key]);
    plots.messages.setData([column("at"), column("received"), column("sent")]);
    plots.population.setData([column("at"), column("connections")]);
    plots.histogram.setData([
      this.#histogram.map((_, index) => index),
      this.#histogram.map((value) => (value === 0 ? null : value)),
    ]);
  }

  #rebuild(): void {
    if (this.#plots === null) return;
    for (const plot of Object.values(this.#plots)) plot.destroy();
    this.#plots = this.#build();
    this.#draw();
  }

  #build(): { messages: uPlot; population: uPlot; histogram: uPlot } {
    return {
      messages: overTime("messages", [line("--in"), line("--out")]),
      population: overTime("population", [line("--accent", true)]),
      histogram: bars("histogram"),
    };
  }
}

function describe(id: string, text: string): void {
  find(id, HTMLDivElement).setAttribute("aria-label", text);
}

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function line(name: string, isFilled = false): uPlot.Series {
  const stroke = color(name);
  return {
    stroke,
    width: 1.75,
    points: { show: false },
    spanGaps: true,
    ...(isFilled ? { fill: `${stroke}22` } : {}),
  };
}

function overTime(id: string, series: uPlot.Series[]): uPlot {
  const element = find(id, HTMLDivElement);
  return new uPlot(
    {
      ...frame(element),
      scales: {
        // The newest value is at the right edge from the beginning.
        x: { range: (_plot, min, max) => [max - Math.max(max - min, SHOWN_AT_LEAST), max] },
        y: { range: (_plot, _min, max) => [0, niceTop(max)] },
      },
      axes: [
        {
          ...axis(),
          space: 60,
          incrs: [10, 30, 60, 120],
          // Seconds only where ticks are closer than a minute.
          values: (_plot, ticks, _axis, _space, step) => {
            const length = step < 60 ? 8 : 5;
            return ticks.map((tick) => new Date(tick * 1_000).toLocaleTimeString("en-GB").slice(0, length));
          },
        },
        valueAxis(),
      ],
      series: [{}, ...series],
    },
    [[], ...series.map(() => [])],
    element,
  );
}

function bars(id: string): uPlot {
  const element = find(id, HTMLDivElement);
  const labels = [
    ...LATENCY_BOUNDS.map((bound) => `<${bound >= 1_000 ? `${bound / 1_000} s` : bound}`),
    "more",
  ];
  return new uPlot(
    {
      ...frame(element),
      scales: {
        x: { time: false, range: [-0.6, labels.length - 0.4] },
        y: { range: (_plot, _min, max) => [0, niceTop(max)] },
      },
      axes: [
        {
          ...axis(),
          grid: { show: false },
          splits: () => labels.map((_, index) => index),
          values: (plot, ticks) =>
            ticks.map((tick) => (plot.width < 420 && tick % 2 === 1 ? "" : (labels[tick] ?? ""))),
        },
        valueAxis(),
      ],
      series: [
        {},
        {
          stroke: color("--accent"),
          fill: `${color("--accent")}99`,
          width: 1,
          points: { show: false },
          paths: uPlot.paths.bars?.({ size: [0.72, 60], radius: 0.15 }) ?? null,
        } as uPlot.Series,
      ],
    },
    [[], []],
    element,
  );
}

/** Two connections must not fill the chart, nor may the scale change with every message. */
function niceTop(max: number | null): number {
  const least = Math.max(max ?? 0, 4) * 1.1;
  const step = 10 ** Math.floor(Math.log10(least));
  return ([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((factor) => factor * step >= least) ?? 10) * step;
}

function frame(element: HTMLElement): { width: number; height: number } & Partial<uPlot.Options> {
  return {
    width: element.clientWidth,
    height: HEIGHT(),
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 16, 0, 0],
  };
}

function axis(): uPlot.Axis {
  return {
    stroke: color("--muted"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
    size: 24,
    gap: 4,
  };
}

function valueAxis(): uPlot.Axis {
  return {
    ...axis(),
    size: 48,
    space: 34,
    values: (_plot, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? short(tick) : "")),
  };
}
