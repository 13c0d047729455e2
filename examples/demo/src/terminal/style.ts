// Colours, where they are wanted.

type Paint = (text: string) => string;

export interface Style {
  readonly strong: Paint;
  readonly quiet: Paint;
  readonly good: Paint;
  readonly suspicious: Paint;
  readonly bad: Paint;
}

/** What of a stream and its environment matters here; `process.stdout` and `process.env` fit. */
export interface Surroundings {
  readonly isTTY?: boolean | undefined;
  readonly hasColors?: () => boolean;
}

/** No colours but on a terminal that has them, and none where NO_COLOR is set (https://no-color.org). */
export function styleFor(stream: Surroundings, env: Readonly<Record<string, string | undefined>>): Style {
  const isPlain = stream.isTTY !== true || (env["NO_COLOR"] ?? "") !== "" || stream.hasColors?.() === false;
  const paint = (on: number, off: number): Paint =>
    isPlain ? (text) => text : (text) => `\x1b[${on}m${text}\x1b[${off}m`;
  return {
    strong: paint(1, 22),
    quiet: paint(2, 22),
    good: paint(32, 39),
    suspicious: paint(33, 39),
    bad: paint(31, 39),
  };
}
