import type { DashboardJson, Panel } from "../queries.ts";
import { type Box, type Drawn, drawGraph, drawNumber, drawQuery, drawTable, text } from "./panels.ts";
import { lines } from "./values.ts";

const COLUMN = 56;
const LINE = 34;
const GAP = 6;
const MARGIN = 16;
const HEADER = 64;

const boxOf = ({ gridPos: { x, y, w, h } }: Panel): Box => ({
  x: MARGIN + x * COLUMN,
  y: HEADER + y * LINE,
  width: w * COLUMN - GAP,
  height: h * LINE - GAP,
});

const content = (panel: Panel, drawn: readonly Drawn[], box: Box, seconds: number): string => {
  if (panel.datasource?.type === "tempo") return drawQuery(panel, drawn, box);
  if (panel.type === "stat") return drawNumber(panel, drawn, box);
  if (panel.type === "table") return drawTable(drawn, box);
  return drawGraph(panel, drawn, box, seconds);
};

const drawPanel = (panel: Panel, drawn: readonly Drawn[], seconds: number): string => {
  const box = boxOf(panel);
  if (panel.type === "row") return text(box.x, box.y + 20, `▾ ${panel.title}`, 15, "#d8d9da");
  const isNumber = panel.type === "stat";
  const about = isNumber ? [] : lines(panel.description ?? "", Math.floor(box.width / 5.6), 2);
  const top = 26 + about.length * 13;
  const inner = { x: box.x + 10, y: box.y + top + 4, width: box.width - 20, height: box.height - top - 8 };
  return [
    `<rect x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="3" fill="#181b1f" stroke="#2c2f36"/>`,
    text(box.x + 10, box.y + 18, panel.title, 13, "#d8d9da"),
    ...about.map((line, index) => text(box.x + 10, box.y + 33 + index * 13, line, 10.5)),
    content(panel, drawn, inner, seconds),
  ].join("\n");
};

/** A dashboard as an SVG: its own layout, with what its panels show over the last `seconds`. */
export const drawDashboard = (
  dashboard: DashboardJson,
  data: ReadonlyMap<number, readonly Drawn[]>,
  seconds: number,
): string => {
  const width = 2 * MARGIN + 24 * COLUMN;
  const bottom = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  const height = HEADER + bottom * LINE + MARGIN;
  const panels = dashboard.panels.map((panel) => drawPanel(panel, data.get(panel.id) ?? [], seconds));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="Inter, Helvetica, Arial, sans-serif">`,
    `<rect width="${width}" height="${height}" fill="#111217"/>`,
    text(MARGIN, 28, dashboard.title, 20, "#d8d9da"),
    text(MARGIN, 48, dashboard.description, 12),
    ...panels,
    "</svg>\n",
  ].join("\n");
};
