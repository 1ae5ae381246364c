import type { Series } from "../prometheus-server.ts";
import type { Panel } from "../queries.ts";
import { escaped, lines, written } from "./values.ts";

/** A line of a panel: what it is called, and its points. */
export interface Drawn {
  readonly name: string;
  readonly points: Series["points"];
}

/** Where a panel's content goes, in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const PALETTE = ["#73bf69", "#5794f2", "#f2cc0c", "#ff9830", "#b877d9", "#8ab8ff", "#fa6400", "#37872d"];
const COLOURS: Readonly<Record<string, string>> = { green: "#73bf69", orange: "#ff9830", red: "#f2495c" };
const DIM = "#8e8e99";

/** A piece of text. */
export const text = (x: number, y: number, content: string, size = 11, colour = DIM, more = ""): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" fill="${colour}" ${more}>${escaped(content)}</text>`;

const limitsOf = (panel: Panel) =>
  (panel.fieldConfig?.defaults.thresholds?.steps ?? []).flatMap(({ value, color }) =>
    value === null ? [] : [{ value, colour: COLOURS[color] ?? color }],
  );

const legend = (drawn: readonly Drawn[], box: Box): string => {
  let x = box.x;
  let y = box.y + box.height - 6;
  const parts: string[] = [];
  for (const [index, { name }] of drawn.entries()) {
    const label = name.length > 34 ? `${name.slice(0, 33)}…` : name;
    const width = label.length * 5.6 + 22;
    if (x + width > box.x + box.width && x > box.x) {
      if (y > box.y + box.height - 8) {
        x = box.x;
        y += 12;
      } else break;
    }
    parts.push(
      `<rect x="${x}" y="${y - 7}" width="8" height="4" fill="${PALETTE[index % PALETTE.length]}"/>`,
      text(x + 12, y - 2, label, 10),
    );
    x += width;
  }
  return parts.join("");
};

/** Lines over time, with limits where they are near. */
export const drawGraph = (panel: Panel, drawn: readonly Drawn[], box: Box, seconds: number): string => {
  const unit = panel.fieldConfig?.defaults.unit;
  const plot = { x: box.x + 58, y: box.y, width: box.width - 62, height: box.height - 46 };
  const finite = drawn.flatMap(({ points }) => points.map(([, value]) => value).filter(Number.isFinite));
  const highest = Math.max(...finite, 0);
  const near = limitsOf(panel).filter(({ value }) => value <= highest * 2.5 || highest === 0);
  const top = Math.max(highest, ...near.map(({ value }) => value)) * 1.1 || 1;
  const end = Math.max(...drawn.flatMap(({ points }) => points.map(([time]) => time)), 0);
  const at = (time: number, value: number): string =>
    `${(plot.x + plot.width * (1 - (end - time) / seconds)).toFixed(1)},${(plot.y + plot.height * (1 - value / top)).toFixed(1)}`;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const y = plot.y + plot.height * (1 - share);
    const line = `<path d="M${plot.x} ${y.toFixed(1)}h${plot.width.toFixed(1)}" stroke="#2c2f36"/>`;
    return share === 0.25 || share === 0.75
      ? line
      : line + text(plot.x - 6, y + 4, written(top * share, unit), 10, DIM, 'text-anchor="end"');
  });
  const limits = near.map(({ value, colour }) => {
    const y = plot.y + plot.height * (1 - value / top);
    return `<path d="M${plot.x} ${y.toFixed(1)}h${plot.width.toFixed(1)}" stroke="${colour}" stroke-dasharray="6 4"/>`;
  });
  const paths = drawn.map(({ points }, index) => {
    const visible = points.filter(([, value]) => Number.isFinite(value)).map(([time, value]) => at(time, value));
    const colour = PALETTE[index % PALETTE.length];
    return `<polyline points="${visible.join(" ")}" fill="none" stroke="${colour}" stroke-width="1.6"/>`;
  });
  const nothing = finite.length === 0 ? text(plot.x + plot.width / 2, plot.y + plot.height / 2, "no data", 11) : "";
  return [...grid, ...limits, ...paths, nothing, legend(drawn, { ...box, height: box.height - 12 })].join("");
};

/** One number, in the colour of its limit. */
export const drawNumber = (panel: Panel, drawn: readonly Drawn[], box: Box): string => {
  const value = drawn[0]?.points.filter(([, each]) => Number.isFinite(each)).at(-1)?.[1] ?? Number.NaN;
  const colour = limitsOf(panel).findLast((limit) => value >= limit.value)?.colour ?? COLOURS["green"];
  const words = panel.fieldConfig?.defaults.mappings?.[0]?.options;
  const shown = words?.[String(value)]?.text ?? written(value, panel.fieldConfig?.defaults.unit);
  return text(box.x + box.width / 2, box.y + box.height / 2 + 12, shown, 28, colour, 'text-anchor="middle"');
};

/** Rows, their last column the value. */
export const drawTable = (drawn: readonly Drawn[], box: Box): string =>
  drawn
    .slice(0, Math.floor(box.height / 20))
    .map(({ name, points }, index) => {
      const y = box.y + 14 + index * 20;
      const value = written(Math.round(points.at(-1)?.[1] ?? Number.NaN), "short");
      return (
        text(box.x, y, name, 12, "#d8d9da") +
        text(box.x + box.width, y, value, 12, "#d8d9da", 'text-anchor="end"') +
        `<path d="M${box.x} ${y + 6}h${box.width}" stroke="#2c2f36"/>`
      );
    })
    .join("");

/** A panel that Tempo fills: what it is asked, and the rows that it would answer with. */
export const drawQuery = (panel: Panel, answered: readonly Drawn[], box: Box): string => {
  const query = panel.targets.map(({ query: each }) => each ?? "service map").join(" ");
  const asked = lines(query, Math.floor(box.width / 7), Math.floor(box.height / 18));
  const first = box.y + 18 + asked.length * 18;
  const rows = answered.slice(0, Math.max(0, Math.floor((box.y + box.height - first) / 20) + 1));
  const widest = Math.floor(box.width / 6.2);
  return [
    ...asked.map((line, index) => text(box.x, box.y + 16 + index * 18, line, 11, "#8ab8ff", 'font-family="monospace"')),
    ...rows.map(({ name }, index) => text(box.x, first + index * 20, name.slice(0, widest), 11.5, "#d8d9da")),
  ].join("");
};
