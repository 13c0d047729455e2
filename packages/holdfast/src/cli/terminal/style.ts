// Colours. Follows NO_COLOR (https://no-color.org), and FORCE_COLOR as Node.js does.

export interface Style {
  dim(text: string): string;
  bold(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  warning(text: string): string;
}

export function allowsColor(isTerminal: boolean, environment: NodeJS.ProcessEnv): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = environment;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "") return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  return isTerminal && TERM !== "dumb";
}

export function makeStyle(hasColor: boolean): Style {
  const wrap = (begin: number, end: number) => (text: string) =>
    hasColor ? `\x1b[${begin}m${text}\x1b[${end}m` : text;
  return {
    dim: wrap(2, 22),
    bold: wrap(1, 22),
    good: wrap(32, 39),
    bad: wrap(31, 39),
    warning: wrap(33, 39),
  };
}
