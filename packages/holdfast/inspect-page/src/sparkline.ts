// The newest round trips of a connection as a line of the height of the text.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 72;
const HEIGHT = 20;

export function sparkline(samples: readonly number[]): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true"); // The number beside it says the newest one.
  const min = Math.min(...samples);
  // Noise below a millisecond is no peak.
  const range = Math.max(Math.max(...samples) - min, 1);
  const line = document.createElementNS(SVG, "polyline");
  line.setAttribute(
    "points",
    samples
      .map((sample, index) => {
        const x = (index / (samples.length - 1)) * WIDTH;
        const y = HEIGHT - 2 - ((sample - min) / range) * (HEIGHT - 4);
        return `${x.toFixed(1)},${y.toFixed(1)}`;
      })
      .join(" "),
  );
  svg.append(line);
  return svg;
}
