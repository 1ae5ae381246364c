import { FONTS } from "../runtime/brand/css.ts";
import { DARK, LIGHT, type Palette } from "../runtime/brand/palette.ts";
import { shown } from "./summary.ts";

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Ours stand out. */
  readonly isOurs: boolean;
}

export interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly groups: readonly { readonly label: string; readonly bars: readonly Bar[] }[];
}

const WIDTH = 760;
const LEFT = 130;
const RIGHT = 90;
const BAR = 20;
const GROUP_HEAD = 30;
const HEAD = 56;
const MARGIN = 16;

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

const style = (palette: Palette): string =>
  `.page{fill:${palette.card}}text{fill:${palette.ink}}.soft{fill:${palette.soft}}` +
  `.ours{fill:${palette.accent}}.other{fill:${palette.edge}}`;

/** Horizontal bars in the project's colours, light or dark as the reader's system is; each group has one scale with all others. */
export const chartSvg = ({ title, unit, groups }: Chart): string => {
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)), 0);
  const scale = most === 0 ? 0 : (WIDTH - LEFT - RIGHT) / most;
  const parts: string[] = [];
  let y = HEAD;
  for (const { label, bars } of groups) {
    parts.push(`<text class="soft" x="${MARGIN}" y="${y + 19}">${escaped(label)}</text>`);
    y += GROUP_HEAD;
    for (const { label: name, value, isOurs } of bars) {
      const width = Math.max(1, Math.round(value * scale));
      const middle = y + BAR / 2 + 4;
      parts.push(
        `<text x="${LEFT - 10}" y="${middle}" text-anchor="end">${escaped(name)}</text>`,
        `<rect class="${isOurs ? "ours" : "other"}" x="${LEFT}" y="${y + 2}" width="${width}" height="${BAR - 4}" rx="2"/>`,
        `<text x="${LEFT + width + 8}" y="${middle}">${shown(value)}</text>`,
      );
      y += BAR;
    }
  }
  const height = y + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${escaped(title)}, ${escaped(unit)}</title>`,
    `<style>text{font:13px ${FONTS.text.replaceAll('"', "'")}}.head{font-size:16px;font-weight:600}${style(LIGHT)}` +
      `@media(prefers-color-scheme:dark){${style(DARK)}}</style>`,
    `<rect class="page" width="${WIDTH}" height="${height}" rx="8"/>`,
    `<text class="head" x="${MARGIN}" y="30">${escaped(title)}</text>`,
    `<text class="soft" x="${MARGIN}" y="48">${escaped(unit)}</text>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
};
