/*
 * `bun tests/observability/draw.ts`: draws docs/dashboards/*.svg from the dashboards' JSON and a real run of about a minute.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { pauseGroup, resumeGroup } from "../../stream/pauses.ts";
import type { ReceivedSpan } from "../otlp-receiver.ts";
import { openRedis } from "../received-traces.ts";
import { startTestServers } from "../servers.ts";
import { drawDashboard } from "./picture/dashboard.ts";
import type { Drawn } from "./picture/panels.ts";
import { rowsOf } from "./picture/spans.ts";
import type { Series } from "./prometheus-server.ts";
import { type DashboardJson, dashboards, filledIn, type Panel } from "./queries.ts";
import { type RealRun, startRealRun } from "./real-run.ts";

const SECONDS = 75;
const RATE_INTERVAL = "6s";
const MOODS = ["plain", "plain", "plain", "plain", "plain", "later", "plain", "plain", "never", "plain"];

/** Signups in waves, with a pause of the group in the middle that lets work pile up. */
const work = async (run: RealRun): Promise<void> => {
  using opened = await openRedis();
  const startedAt = performance.now();
  let people = 0;
  let isPaused = false;
  for (;;) {
    const second = (performance.now() - startedAt) / 1_000;
    if (second > 55) return;
    const shouldPause = second > 20 && second < 33;
    if (shouldPause !== isPaused) {
      isPaused = shouldPause;
      const change = isPaused ? pauseGroup : resumeGroup;
      await change(opened.redis, run.keys, WELCOME_EMAIL.name);
    }
    const wave = 4 + Math.round(3 * Math.sin(second / 5));
    await run.signUp(...Array.from({ length: wave }, () => MOODS[people++ % MOODS.length] ?? "plain"));
    await Bun.sleep(400);
  }
};

const nameOf = (legend: string | undefined, { labels }: Series): string => {
  const shown = Object.entries(labels).filter(([name]) => name !== "__name__");
  if (legend === undefined) return shown.map(([, value]) => value).join(" · ");
  return legend.replace(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? "").trim() || "value";
};

/** The event id of a signup that took more than one try. */
const anEventId = (spans: readonly ReceivedSpan[]): string =>
  String(
    spans.find(({ attributes }) => Number(attributes["signup.delivery.attempt"]) > 1)?.attributes[
      "cloudevents.event_id"
    ],
  );

const dataOf = async ({ prometheus, receiver: { spans } }: RealRun, panel: Panel): Promise<readonly Drawn[]> => {
  const answers = await Promise.all(
    panel.targets.map(async ({ expr, query = "", legendFormat }) => {
      if (expr === undefined) {
        const rows = panel.type === "table" ? rowsOf(filledIn(query, RATE_INTERVAL, anEventId(spans)), spans) : [];
        return rows.map((name) => ({ name, points: [] }));
      }
      const filled = filledIn(expr, RATE_INTERVAL);
      const series =
        panel.type === "table" ? await prometheus.query(filled) : await prometheus.queryRange(filled, SECONDS);
      return series.map((each) => ({ name: nameOf(legendFormat, each), points: each.points }));
    }),
  );
  return answers.flat();
};

const pictureOf = async (run: RealRun, dashboard: DashboardJson): Promise<string> => {
  const data = await Promise.all(dashboard.panels.map(async (panel) => [panel.id, await dataOf(run, panel)] as const));
  return drawDashboard(dashboard, new Map(data), SECONDS);
};

await using servers = await startTestServers();
Object.assign(process.env, servers.environment);
await using run = await startRealRun();
await work(run);
const directory = join(import.meta.dir, "..", "..", "docs", "dashboards");
mkdirSync(directory, { recursive: true });
for (const dashboard of dashboards()) {
  const file = join(directory, `${dashboard.uid}.svg`);
  writeFileSync(file, await pictureOf(run, dashboard));
  console.log(`drew ${file}`);
}
