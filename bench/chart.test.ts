import { expect, test } from "bun:test";
import { chartSvg } from "./chart.ts";

const bar = (label: string, value: number) => ({ label, value, isOurs: label === "ours" });

test("bars are as long as their values, on one scale for all groups", () => {
  const svg = chartSvg({
    title: "Mails",
    unit: "a second",
    groups: [
      { label: "one", bars: [bar("ours", 200), bar("<peer>", 50)] },
      { label: "two", bars: [bar("ours", 100)] },
    ],
  });
  const widths = [...svg.matchAll(/<rect class="(?:ours|other)"[^>]* width="(\d+)"/g)].map(([, width]) =>
    Number(width),
  );
  expect(widths).toEqual([540, 135, 270]);
  expect(svg).toContain("&lt;peer>");
});

test("nothing measured is no bar beyond a hair", () => {
  expect(chartSvg({ title: "t", unit: "u", groups: [{ label: "g", bars: [bar("ours", 0)] }] })).toContain('width="1"');
});
