// An ESLint rule: comments and test titles use plain words (CONTRIBUTING.md, Style).

/** Each expression matches a phrase that has a plainer word, which the message names. */
const PHRASES = [
  [/\b(?:told|tells?)\b(?! apart)/i, "report, emit, notify, say"],
  [/\btold apart\b/i, "distinguished"],
  [/\bmend(?:s|ed|ing)?\b/i, "fix"],
  [/\bwhoever\b/i, "the caller, the peer, the user"],
  [/\b(?:comes?|came|coming) back\b/i, "return, reconnect, is echoed"],
  [/\blets? go\b/i, "release, drop"],
  [/\b(?:gives?|gave|given) back\b/i, "return, release"],
  [/\bparted by\b/i, "separated by"],
  [/\bdearest\b/i, "most expensive"],
  [/\bof one's own\b/i, "custom, its own"],
  [/\b(?:roads?|receptions?|passages?|pulses?|tongues?|witnesses)\b/i, "the field's word"],
  [/\blaws?\b/i, "policy"],
];

/** A sentence that begins with one of these has no subject. A question may. */
const OPENER = /(?:^|[.!?] )(What|Whatever|Who|Whoever|Those that|The same of) [^.!?]*(?:[.!]|$)/;

const TEST_FUNCTIONS = new Set(["test", "it", "describe", "suite", "testCell"]);

/** Returns what to change in a text; null if it is plain. */
export function findTic(text) {
  const prose = text.replace(/@param \S+/g, "@param").replace(/`[^`]*`|"[^"]*"|“[^”]*”/g, "`…`");
  const opener = OPENER.exec(prose);
  if (opener !== null) return `Begin the sentence with its subject instead of "${opener[1]}".`;
  for (const [phrase, instead] of PHRASES) {
    const match = phrase.exec(prose);
    if (match !== null) return `Expected a plainer word than "${match[0]}", such as: ${instead}.`;
  }
  return null;
}

export const plainWords = {
  meta: { type: "suggestion", schema: [], messages: { tic: "{{advice}}" } },
  create(context) {
    const { sourceCode } = context;
    const check = (text, loc) => {
      const advice = findTic(text);
      if (advice !== null) context.report({ loc, messageId: "tic", data: { advice } });
    };
    return {
      Program() {
        for (const { text, loc } of blocksOf(sourceCode)) check(text, loc);
      },
      CallExpression({ callee, arguments: [first] }) {
        if (callee.type !== "Identifier" || !TEST_FUNCTIONS.has(callee.name) || first === undefined) return;
        if (first.type === "Literal" && typeof first.value === "string") check(first.value, first.loc);
        if (first.type !== "TemplateLiteral") return;
        check(first.quasis.map(({ value }) => value.cooked ?? "").join("…"), first.loc);
      },
    };
  },
};

/** The comments of a file as text, without markers. Consecutive line comments are one text. */
function blocksOf(sourceCode) {
  const blocks = [];
  for (const { type, value, loc } of sourceCode.getAllComments()) {
    const text = value
      .replace(/^\s*\* ?/gm, "")
      .replace(/\s+/g, " ")
      .trim();
    const last = blocks.at(-1);
    const isNext = last?.type === "Line" && type === "Line" && last.loc.end.line + 1 === loc.start.line;
    if (isNext && last.loc.start.column === loc.start.column) {
      last.text += ` ${text}`;
      last.loc = { start: last.loc.start, end: loc.end };
    } else blocks.push({ type, text, loc });
  }
  return blocks;
}
