// Edge cases of valid and invalid UTF-8 (RFC 3629 sections 3, 4 and 10).

/** The first and the last of each length, the neighbours of the surrogates, U+FFFD itself, the noncharacters. */
export const CODE_POINTS: readonly number[] = [
  0x00, 0x7f, 0x80, 0x7ff, 0x800, 0xfff, 0x1000, 0xcfff, 0xd000, 0xd7ff, 0xe000, 0xfeff, 0xfffd, 0xfffe,
  0xffff, 0x1_0000, 0x3_ffff, 0x4_0000, 0xf_ffff, 0x10_0000, 0x10_ffff,
];

/** Bytes at which the rules change. */
export const INTERESTING_BYTES: readonly number[] = [
  0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
  0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xfe, 0xff,
];

export interface BadText {
  readonly title: string;
  readonly bytes: Uint8Array;
  /** The index of the first byte after which no text can begin like this. */
  readonly badAt: number;
}

export const NOT_UTF8: readonly BadText[] = [
  bad("a continuation byte on its own", "80", 0),
  bad("the last continuation byte on its own", "bf", 0),
  bad("a continuation byte too many", "c3a980", 2),
  bad("the overlong slash of two bytes", "c0af", 0),
  bad("the overlong slash of three bytes", "e080af", 1),
  bad("the overlong slash of four bytes", "f08080af", 1),
  bad("the overlong NUL", "c080", 0),
  bad("the largest overlong of two bytes", "c1bf", 0),
  bad("the largest overlong of three bytes", "e09fbf", 1),
  bad("the largest overlong of four bytes", "f08fbfbf", 1),
  bad("the first high surrogate", "eda080", 1),
  bad("the last high surrogate", "edafbf", 1),
  bad("the first low surrogate", "edb080", 1),
  bad("the last low surrogate", "edbfbf", 1),
  bad("a character as a pair of surrogates", "eda0bdedb880", 1),
  bad("U+110000", "f4908080", 1),
  bad("U+13FFFF", "f4bfbfbf", 1),
  bad("a lead that would be U+140000", "f5808080", 0),
  bad("a lead of five bytes", "f888808080", 0),
  bad("a lead of six bytes", "fc8480808080", 0),
  bad("FE", "fe", 0),
  bad("FF", "ff", 0),
  bad("two bytes cut short by a letter", "c341", 1),
  bad("three bytes cut short by a letter after the first", "e241", 1),
  bad("three bytes cut short by a letter after the second", "e28241", 2),
  bad("four bytes cut short by a letter after the first", "f041", 1),
  bad("four bytes cut short by a letter after the second", "f09f41", 2),
  bad("four bytes cut short by a letter after the third", "f09f9841", 3),
  bad("a lead that another lead cuts short", "e282c3a9", 2),
  bad("the example of the Autobahn suite", "cebae1bdb9cf83cebcceb5eda080656469746564", 12),
];

function bad(title: string, hex: string, badAt: number): BadText {
  return { title: `${title} (${hex})`, bytes: Uint8Array.from(Buffer.from(hex, "hex")), badAt };
}
