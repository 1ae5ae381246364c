import { readFileSync } from "node:fs";

/**
 * Be Vietnam Pro, drawn for Vietnamese by its designers (SIL Open Font License, fonts/OFL.txt), in two weights. Of it, the letters
 * that English and Vietnamese are written with: 7 KB a weight, and 4 KB more where a page is in Vietnamese.
 */
const RANGES = {
  latin: "U+20-7E,U+A0-FF,U+2013-2026",
  vietnamese: "U+102-103,U+110-111,U+128-129,U+168-169,U+1A0-1A1,U+1AF-1B0,U+1EA0-1EF9,U+20AB",
} as const;
const WEIGHTS = [400, 700] as const;

const FACES = WEIGHTS.flatMap((weight) =>
  (["latin", "vietnamese"] as const).map((script) => ({ weight, script, name: `${script}-${weight}.woff2` })),
);

/** Where a browser finds a font. The version is that of the files: they may be kept for ever. */
const hrefOf = (name: string): string => `/fonts/${name}?v=1`;

/** What the first line of a page is set in: worth asking for before the style sheet is read. */
export const PRELOADED_FONTS: readonly string[] = WEIGHTS.map((weight) => hrefOf(`latin-${weight}.woff2`));

/** For the start of a style sheet. A server that has it serves `fontFiles` as well, and its policy allows them. */
export const FONT_FACES = FACES.map(
  ({ weight, script, name }) =>
    `@font-face{font-family:"Be Vietnam Pro";font-weight:${weight};font-display:swap;` +
    `src:url(${hrefOf(name)}) format("woff2");unicode-range:${RANGES[script]}}\n`,
).join("");

/** The fonts by the names under which `/fonts/` serves them. */
export const fontFiles = (): ReadonlyMap<string, Uint8Array<ArrayBuffer>> =>
  new Map(FACES.map(({ name }) => [name, new Uint8Array(readFileSync(new URL(`./fonts/${name}`, import.meta.url)))]));
