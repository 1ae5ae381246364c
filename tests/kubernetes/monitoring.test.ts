import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generatedFiles } from "../../k8s/generate.ts";
import { kustomize } from "./kubectl.ts";
import { k8s, ofKind, overlayObjects, parseObjects } from "./objects.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { faultsOf } from "./typed-program.ts";
import { configOf, oursIn } from "./workloads.ts";

const RULES = `groups:
  - name: signup
    rules:
      - alert: OldestUnfinished
        expr: signup_oldest_unfinished_seconds > 60
        for: 5m
        labels: { severity: page }
`;

test("dashboards reach Grafana as ConfigMaps of its sidecar, and alerts Prometheus as a PrometheusRule", async () => {
  using directory = temporaryDirectory("monitoring");
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(directory.path, path)), { recursive: true });
    writeFileSync(join(directory.path, path), content);
  };
  write("observability/dashboards/overview.json", '{"title":"Signups"}');
  write("observability/alerts/signup.yaml", RULES);
  expect(Bun.spawnSync(["cp", "-R", k8s, directory.path]).exitCode).toBe(0);
  for (const [path, content] of generatedFiles(join(directory.path, "observability"))) write(`k8s/${path}`, content);

  const objects = parseObjects(kustomize(join(directory.path, "k8s", "overlays", "production")));
  const dashboard = objects.find(({ metadata }) => metadata.name === "dashboard-overview");
  expect(dashboard?.metadata.labels?.["grafana_dashboard"]).toBe("1");
  expect(dashboard?.data).toEqual({ "overview.json": '{"title":"Signups"}' });
  expect(JSON.stringify(ofKind(objects, "PrometheusRule")[0]?.spec)).toContain("OldestUnfinished");
  expect((await faultsOf(objects)).flat()).toEqual([]);
});

test("telemetry goes to the collector that the network lets it reach", () => {
  const objects = overlayObjects("production");
  const endpoints = oursIn(objects)
    .flatMap(({ pod }) => pod.containers.map((container) => configOf(objects, container)))
    .flatMap((config) => config["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? []);
  expect(new Set(endpoints)).toEqual(new Set(["http://collector.monitoring.svc.cluster.local:4318"]));
});
