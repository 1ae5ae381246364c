import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { metricExportIntervalMs } from "../../observability/metric-readers.ts";
import type { Environment } from "../../observability/requested-signals.ts";
import { OVERLAYS, overlayObjects } from "../kubernetes/objects.ts";
import { configOf, oursIn } from "../kubernetes/workloads.ts";
import { dashboards } from "./queries.ts";

/** Grafana's default of a Prometheus data source's "Scrape interval", in ms. */
const SCRAPE_INTERVAL_MS = 15_000;
/** `rate` needs two samples within its window; with four one may be late or lost. */
const SAMPLES = 4;
const HOUR_MS = 3_600_000;
/** Points of the narrowest panel on a small screen, and of the widest on a large one. */
const POINTS = [200, 2_000] as const;

/**
 * `$__rate_interval`: https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/. `$__interval` is the
 * range by the points of the panel, and at least the scrape interval.
 */
const rateIntervalMs = (rangeMs: number, points: number): number => {
  const interval = Math.max(rangeMs / points, SCRAPE_INTERVAL_MS);
  return Math.max(interval + SCRAPE_INTERVAL_MS, 4 * SCRAPE_INTERVAL_MS);
};

const composeEnvironments = (): readonly (readonly [string, Environment])[] => {
  const file = join(import.meta.dir, "..", "..", "compose.yaml");
  const { services } = z
    .object({
      services: z.record(z.string(), z.looseObject({ environment: z.record(z.string(), z.string()).optional() })),
    })
    .parse(parse(readFileSync(file, "utf8"), { merge: true }));
  return ["api", "consumer"].map((name) => [`compose.yaml: ${name}`, services[name]?.environment ?? {}] as const);
};

const kubernetesEnvironments = (): readonly (readonly [string, Environment])[] =>
  OVERLAYS.flatMap((overlay) => {
    const objects = overlayObjects(overlay);
    return oursIn(objects)
      .filter(({ component }) => component !== "migrate")
      .flatMap(({ name, pod }) =>
        pod.containers.map((container) => [`${overlay}: ${name}`, configOf(objects, container)] as const),
      );
  });

const ENVIRONMENTS: readonly (readonly [string, Environment])[] = [
  ["no setting at all", {}],
  ...composeEnvironments(),
  ...kubernetesEnvironments(),
];

const ratePanels = dashboards().flatMap(({ title, panels }) =>
  panels.flatMap((panel) =>
    panel.targets
      .filter(({ expr }) => expr?.includes("$__rate_interval") === true)
      .map(({ expr = "" }) => ({ where: `${title}: ${panel.title}`, expr })),
  ),
);

describe("a panel that shows a rate", () => {
  test("looks over Grafana's own window", () => {
    expect(ratePanels.length).toBeGreaterThan(20);
    for (const { where, expr } of ratePanels) {
      const windows = [...expr.matchAll(/\[([$\w]+)\]/g)].map(([, window]) => window);
      expect([where, new Set(windows)]).toEqual([where, new Set(["$__rate_interval"])]);
    }
  });

  test.each(ENVIRONMENTS)("finds enough samples in it, with the export interval of %s", (_, environment) => {
    const intervalMs = metricExportIntervalMs(environment);
    const blind = ratePanels.flatMap(({ where }) =>
      [HOUR_MS / 12, HOUR_MS, 24 * HOUR_MS].flatMap((rangeMs) =>
        POINTS.map((points) => Math.floor(rateIntervalMs(rangeMs, points) / intervalMs))
          .filter((samples) => samples < SAMPLES)
          .map((samples) => `${where}: ${samples} in the window of a range of ${rangeMs / 60_000} min`),
      ),
    );
    expect(blind).toEqual([]);
  });
});
