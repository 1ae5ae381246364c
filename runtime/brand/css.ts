import { DARK, LIGHT, type Palette } from "./palette.ts";

/** Be Vietnam Pro where it is served (`fonts.ts`), else type that is on the reader's machine and knows Vietnamese. */
export const FONTS = {
  text: '"Be Vietnam Pro", ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  /** Figures, times and sources. */
  mono: 'ui-monospace, "SF Mono", "Cascadia Mono", "Roboto Mono", "DejaVu Sans Mono", monospace',
} as const;

const declarations = (palette: Palette): string =>
  Object.entries(palette)
    .map(([name, colour]) => `--${name}:${colour};`)
    .join("");

/** The palette and type as custom properties, light and dark: the start of every style sheet. */
export const BRAND_CSS = `:root{color-scheme:light dark;${declarations(LIGHT)}--text:${FONTS.text};--mono:${FONTS.mono}}
@media(prefers-color-scheme:dark){:root{${declarations(DARK)}}}
`;
