import { LIGHT } from "../../runtime/brand/palette.ts";
import type { Course } from "./simulate.ts";

/** A course, and what it is of. */
export interface DrawnCourse {
  readonly title: string;
  readonly course: Course;
}

const WIDTH = 760;
const ROW = 120;
const LEFT = 190;
const RIGHT = 20;
const TOP = 46;
const BOTTOM = 34;
const INNER = 84;

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** Each course in a row of its own, over one time: what waits as an area, consumers as steps. */
export const pictureOf = (
  drawn: readonly DrawnCourse[],
  most: { readonly waiting: number; readonly replicas: number },
): string => {
  const end = Math.max(...drawn.map(({ course }) => course.points.at(-1)?.at ?? 0));
  const x = (at: number): string => (LEFT + (at / end) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const height = TOP + drawn.length * ROW + BOTTOM;
  const rows = drawn.map(({ title, course: { points, drainedAt, podSeconds } }, index) => {
    const floor = TOP + index * ROW + INNER;
    const y = (share: number): string => (floor - share * INNER).toFixed(1);
    const area = points.map(({ at, waiting }) => `L${x(at)} ${y(waiting / most.waiting)}`).join("");
    const steps = points.map(({ at, replicas }) => `H${x(at)}V${y(replicas / most.replicas)}`).join("");
    const last = points.at(-1)?.at ?? 0;
    return `<text x="16" y="${floor - 50}" font-weight="700">${escaped(title)}</text>
<text x="16" y="${floor - 32}" fill="${LIGHT.soft}">drained after ${drainedAt.toFixed(0)} s</text>
<text x="16" y="${floor - 14}" fill="${LIGHT.soft}">${podSeconds.toFixed(0)} pod-seconds</text>
<path d="M${x(0)} ${floor}${area}L${x(last)} ${floor}Z" fill="${LIGHT.sun}" fill-opacity=".45"/>
<path d="M${x(0)} ${floor}${steps}" fill="none" stroke="${LIGHT.accent}" stroke-width="2"/>
<path d="M${LEFT} ${floor}H${WIDTH - RIGHT}" stroke="${LIGHT.line}"/>`;
  });
  const minutes = Array.from({ length: Math.floor(end / 60) + 1 }, (_, minute) => minute).filter(
    (minute) => minute % Math.max(1, Math.ceil(end / 600)) === 0,
  );
  const ticks = minutes.map(
    (minute) =>
      `<text x="${x(minute * 60)}" y="${height - 12}" fill="${LIGHT.soft}" text-anchor="middle">${minute} min</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="ui-sans-serif,system-ui,sans-serif" font-size="12" fill="${LIGHT.ink}">
<rect width="${WIDTH}" height="${height}" rx="8" fill="${LIGHT.card}"/>
<text x="16" y="26" font-size="14" font-weight="700">A burst of ${most.waiting.toLocaleString("en-US")} signups: what waits (yellow), and consumers from 0 to ${most.replicas} (green)</text>
${rows.join("\n")}
${ticks.join("\n")}
</svg>
`;
};
