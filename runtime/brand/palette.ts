/** A colour of page, mail and console, by what it is for. */
export type ColourName =
  | "page"
  | "card"
  | "ink"
  | "soft"
  | "edge"
  | "line"
  | "accent"
  | "on-accent"
  | "accent-ground"
  | "warn"
  | "warn-ground"
  | "bad"
  | "bad-ground"
  | "sun";

export type Palette = Readonly<Record<ColourName, `#${string}`>>;

/**
 * Celadon glaze, jade, and the yellow of apricot blossom. Text (`ink`, `soft`, `accent`, `warn`, `bad`) has a contrast of at least
 * 4.5:1 on `page`, on `card` and on its own ground; `edge`, which bounds what can be operated, 3:1. `sun` is for drawings alone.
 */
export const LIGHT: Palette = {
  page: "#e8f0ea",
  card: "#fffefa",
  ink: "#12211b",
  soft: "#4a5c53",
  edge: "#74887d",
  line: "#d3dfd7",
  accent: "#0a6247",
  "on-accent": "#ffffff",
  "accent-ground": "#d9eee2",
  warn: "#7d4b00",
  "warn-ground": "#fdf0cf",
  bad: "#a8231b",
  "bad-ground": "#fdeae6",
  sun: "#f5b83d",
};

export const DARK: Palette = {
  page: "#0e1714",
  card: "#16221d",
  ink: "#e9f1ec",
  soft: "#a3b5ab",
  edge: "#6f8379",
  line: "#2a3932",
  accent: "#5fd3a4",
  "on-accent": "#06231a",
  "accent-ground": "#173a2d",
  warn: "#f3c56b",
  "warn-ground": "#382a10",
  bad: "#ffb4a8",
  "bad-ground": "#3d1d19",
  sun: "#f5b83d",
};
