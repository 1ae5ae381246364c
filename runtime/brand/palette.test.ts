import { describe, expect, test } from "bun:test";
import { type ColourName, DARK, LIGHT, type Palette } from "./palette.ts";

/** Relative luminance (WCAG 2.2). */
const luminance = (colour: string): number => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

const contrast = (one: string, other: string): number => {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
};

const TEXT: readonly (readonly [ColourName, readonly ColourName[]])[] = [
  ["ink", ["page", "card", "accent-ground", "warn-ground", "bad-ground"]],
  ["soft", ["page", "card"]],
  ["accent", ["page", "card", "accent-ground"]],
  ["on-accent", ["accent"]],
  ["warn", ["page", "card", "warn-ground"]],
  ["bad", ["page", "card", "bad-ground"]],
];

describe.each([
  ["light", LIGHT],
  ["dark", DARK],
] satisfies [string, Palette][])("the %s palette", (_, palette) => {
  test.each(TEXT)("can be read: %s on %p", (text, grounds) => {
    for (const ground of grounds) expect(contrast(palette[text], palette[ground])).toBeGreaterThanOrEqual(4.5);
  });

  test("bounds what can be operated so that it is seen", () => {
    for (const ground of ["page", "card"] as const) {
      expect(contrast(palette.edge, palette[ground])).toBeGreaterThanOrEqual(3);
    }
  });
});
