import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { SETTINGS, type Setting } from "../settings/schema.ts";

const k8s = import.meta.dir;

/** Settings that no ConfigMap holds, and where they come from instead. */
export const SETTINGS_FROM_ELSEWHERE: Readonly<Record<string, string>> = {
  CONSUMER_NAME: "the pod's name",
  MAIL_USERNAME: "the Secret of MAIL_PASSWORD: both or none",
};

/** A pod sees its node's cores, whatever it may use of them: as many hashes would be as many times 19 MiB. */
const FOR_PODS: Readonly<Record<string, string>> = { PASSWORD_HASH_CONCURRENCY: "2" };

const WRITTEN = "# Written by `bun k8s/generate.ts`.";

/** Each setting that is no secret, at its default; empty where it has none, which counts as not set. */
const settingsFile = (): string => {
  const lines = Object.entries<Setting<unknown>>(SETTINGS)
    .filter(([name, { secret }]) => secret !== true && SETTINGS_FROM_ELSEWHERE[name] === undefined)
    .map(([name, { fallback }]) => `${name}=${FOR_PODS[name] ?? fallback ?? ""}`);
  return `${WRITTEN} The defaults of settings/schema.ts; an overlay overrides what is its own.\n${lines.join("\n")}\n`;
};

const filesIn = (directory: string, ending: RegExp): readonly string[] =>
  existsSync(directory)
    ? readdirSync(directory)
        .filter((file) => ending.test(file) && !file.includes("test"))
        .sort()
    : [];

const nameOf = (file: string): string => file.replace(/\.\w+$/, "");

/** A Prometheus rules file as the object that the Prometheus operator reads. */
const prometheusRule = (name: string, text: string): string => {
  const object = {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: {
      name,
      namespace: "signup",
      labels: { "app.kubernetes.io/name": "signup-stream", "app.kubernetes.io/component": "monitoring" },
    },
    spec: parse(text),
  };
  return `${WRITTEN}\n${stringify(object, { lineWidth: 0 })}`;
};

const monitoringFile = (dashboards: readonly string[], rules: readonly string[]): string => {
  const generated = dashboards.map((file) => ({
    name: `dashboard-${nameOf(file)}`,
    namespace: "signup",
    files: [`dashboards/${file}`],
    options: {
      disableNameSuffixHash: true,
      labels: { grafana_dashboard: "1", "app.kubernetes.io/name": "signup-stream" },
    },
  }));
  const component = {
    apiVersion: "kustomize.config.k8s.io/v1alpha1",
    kind: "Component",
    ...(rules.length === 0 ? {} : { resources: rules.map((file) => `rules-${nameOf(file)}.yaml`) }),
    configMapGenerator: [
      { name: "settings", namespace: "signup", behavior: "merge", envs: ["telemetry.env"] },
      ...generated,
    ],
    patches: [
      {
        path: "resource-attributes.yaml",
        target: { kind: "Deployment", labelSelector: "app.kubernetes.io/component in (api, consumer)" },
      },
    ],
  };
  const what =
    "# Telemetry to an OpenTelemetry collector, dashboards for Grafana's sidecar, alerts for the Prometheus operator.";
  return `${what}\n${WRITTEN} Its lists follow observability/dashboards and observability/alerts.\n${stringify(component, { lineWidth: 0 })}`;
};

/** Everything below `k8s/` that is made from other files: path -> content. */
export const generatedFiles = (observability = join(k8s, "..", "observability")): ReadonlyMap<string, string> => {
  const dashboards = filesIn(join(observability, "dashboards"), /\.json$/);
  const rules = filesIn(join(observability, "alerts"), /\.ya?ml$/);
  const read = (folder: string, file: string) => readFileSync(join(observability, folder, file), "utf8");
  return new Map([
    ["base/settings.env", settingsFile()],
    ["components/monitoring/kustomization.yaml", monitoringFile(dashboards, rules)],
    ...dashboards.map((file) => [`components/monitoring/dashboards/${file}`, read("dashboards", file)] as const),
    ...rules.map((file) => {
      const name = nameOf(file);
      return [`components/monitoring/rules-${name}.yaml`, prometheusRule(name, read("alerts", file))] as const;
    }),
  ]);
};

/** Whether two texts say the same; of YAML the formatter may have moved something. */
const saysTheSame = (path: string, one: string, other: string): boolean =>
  path.endsWith(".yaml") ? Bun.deepEquals(parse(one), parse(other)) : one === other;

/** Generated files that are not, or not any more, as they would be written now. */
export const outdatedFiles = (): readonly string[] => {
  const files = generatedFiles();
  const monitoring = join(k8s, "components", "monitoring");
  const present = [
    ...filesIn(join(monitoring, "dashboards"), /\.json$/).map((file) => `components/monitoring/dashboards/${file}`),
    ...filesIn(monitoring, /^rules-.*\.yaml$/).map((file) => `components/monitoring/${file}`),
  ];
  const changed = [...files].filter(([path, content]) => {
    const file = join(k8s, path);
    return !existsSync(file) || !saysTheSame(path, readFileSync(file, "utf8"), content);
  });
  return [...changed.map(([path]) => path), ...present.filter((path) => !files.has(path))];
};

if (import.meta.main) {
  const files = generatedFiles();
  for (const path of outdatedFiles()) {
    const file = join(k8s, path);
    const content = files.get(path);
    mkdirSync(dirname(file), { recursive: true });
    if (content === undefined) rmSync(file);
    else writeFileSync(file, content);
    console.log(content === undefined ? `removed k8s/${path}` : `wrote k8s/${path}`);
  }
}
