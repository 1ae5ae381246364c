import { expect, test } from "bun:test";
import { ALERT_GROUPS } from "../../observability/alerts/rules.ts";
import { dashboardTexts } from "../../observability/dashboards/generate.ts";
import { ofKind, overlayObjects } from "./objects.ts";
import { configOf, oursIn } from "./workloads.ts";

test("each dashboard reaches Grafana as a ConfigMap of its sidecar", () => {
  const configMaps = ofKind(overlayObjects("production"), "ConfigMap").filter(
    ({ metadata }) => metadata.labels?.["grafana_dashboard"] === "1",
  );
  const carried = configMaps.flatMap(({ data }) => Object.entries(data ?? {}));
  const texts = [...dashboardTexts()];
  expect(carried.map(([file]) => file).sort()).toEqual(texts.map(([uid]) => `${uid}.json`).sort());
  for (const [uid, text] of texts) {
    expect(JSON.parse(Object.fromEntries(carried)[`${uid}.json`] ?? "")).toEqual(JSON.parse(text));
  }
});

test("each alert reaches Prometheus by a PrometheusRule", () => {
  const rules = ofKind(overlayObjects("production"), "PrometheusRule").map(({ spec }) => spec);
  expect(rules).toEqual([{ groups: ALERT_GROUPS }]);
});

test("telemetry goes to the collector that the network policies allow", () => {
  const objects = overlayObjects("production");
  const endpoints = oursIn(objects)
    .flatMap(({ pod }) => pod.containers.map((container) => configOf(objects, container)))
    .flatMap((config) => config["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? []);
  expect(new Set(endpoints)).toEqual(new Set(["http://collector.monitoring.svc.cluster.local:4318"]));
});
