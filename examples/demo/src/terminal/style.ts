// Colours, if the terminal supports them and the user wants them.

type Paint = (text: string) => string;

export interface Style {
  readonly strong: Paint;
  readonly quiet: Paint;
  readonly good: Paint;
  readonly suspicious: Paint;
  readonly bad: Paint;
}

/** The relevant properties of a stream; `process.stdout` has them. */
export interface Surroundings {
  readonly isTTY?: boolean | undefined;
  readonly hasColors?: () => boolean;
}

/** Colours only on a terminal that supports them, and not if NO_COLOR is set (https://no-color.org). */
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
