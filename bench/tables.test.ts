import { expect, test } from "bun:test";
import { chartsOf, tables } from "./tables.ts";

const of = (contender: string, round: number, accepted: number) => {
  const place = contender === "ours" ? 0 : 1;
  return { case: "accept-32", contender, place, round, figures: { "accepted/s": accepted, "api CPU": 1e6 / accepted } };
};
const measurements = [of("ours", 1, 4_000), of("peer", 1, 1_000), of("ours", 2, 5_000), of("peer", 2, 2_000)];
const heads = [{ date: "2026-01-01", machine: "a machine", cores: 2, load: 0.25 }];

test("a table has medians, the range of the first figure, and ours as a multiple", () => {
  expect(
    tables({ heads, measurements }),
  ).toBe(`Measured 2026-01-01, a machine, load 0.3 at the start. Interleaved rounds: 2. Medians, ranges in brackets.

| accept-32 | accepted/s | api CPU | ours / it |
| --- | --- | --- | --- |
| ours | 4,500 [4,000-5,000] | 225 |  |
| peer | 1,500 [1,000-2,000] | 750 | 3 |`);
});

test("a table of a busy machine says so", () => {
  expect(tables({ heads: [{ date: "2026-01-01", machine: "m", cores: 2, load: 9 }], measurements })).toContain("busy");
});

test("a picture is drawn of what was measured alone", () => {
  expect(chartsOf(measurements).map(({ name }) => name)).toEqual(["accept", "accept-cpu"]);
  expect(chartsOf(measurements)[0]?.chart.groups).toEqual([
    {
      label: "accept-32",
      bars: [
        { label: "ours", value: 4_500, isOurs: true },
        { label: "peer", value: 1_500, isOurs: false },
      ],
    },
  ]);
});
