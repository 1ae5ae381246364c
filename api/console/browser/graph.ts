// Draws the last hour of a group by uPlot, in the colours of the page.
import UPlot, { type Options, type Series } from "uplot";
import type { HourSeries } from "../now/hour-series.ts";

const HEIGHT = 190;
const LEAST_WIDTH = 200;

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const clock = (seconds: number): string =>
  new Date(seconds * 1_000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

const optionsOf = (title: string, unit: string, width: number, drawn: Partial<Series>): Options => {
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  return {
    width,
    height: HEIGHT,
    title,
    cursor: { sync: { key: "hour" } },
    scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.1, 0.001)] } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map(clock) },
      { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => `${tick}${unit}`) },
    ],
    series: [{}, { label: title, stroke: colour("--accent"), width: 2, ...drawn }],
  };
};

const draw = (holder: HTMLElement, { minutes, done, seconds }: HourSeries): void => {
  // Both before the first is measured: they share the width.
  const [left, right] = [document.createElement("div"), document.createElement("div")];
  holder.replaceChildren(left, right);
  const plot = (
    cell: HTMLElement,
    title: string,
    unit: string,
    values: readonly (number | null)[],
    drawn: Partial<Series>,
  ) => {
    const width = Math.max(LEAST_WIDTH, Math.floor(cell.clientWidth));
    new UPlot(optionsOf(title, unit, width, drawn), [[...minutes], [...values]], cell);
  };
  const bars = UPlot.paths.bars?.({ size: [0.8] });
  plot(left, "done a minute", "", done, {
    fill: colour("--accent"),
    points: { show: false },
    ...(bars === undefined ? {} : { paths: bars }),
  });
  plot(right, "half within, in seconds", " s", seconds, { points: { show: true, size: 5 }, spanGaps: false });
};

const holder = document.querySelector<HTMLElement>("[data-series]");
if (holder !== null) {
  const series: HourSeries = JSON.parse(holder.dataset["series"] ?? "");
  const redraw = () => draw(holder, series);
  redraw();
  addEventListener("resize", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}
