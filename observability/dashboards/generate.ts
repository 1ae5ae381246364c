import { stringify } from "yaml";
import { consumerGroupsDashboard } from "./consumer-groups.ts";
import { DASHBOARDS } from "./frame.ts";
import { signupsDashboard } from "./signups.ts";
import { tracesDashboard } from "./traces.ts";

const FOLDER = "observability/dashboards";

const DASHBOARDS_BY_UID = [
  [DASHBOARDS.overview.uid, signupsDashboard],
  [DASHBOARDS.groups.uid, consumerGroupsDashboard],
  [DASHBOARDS.traces.uid, tracesDashboard],
] as const;

/** Each dashboard as Grafana imports it: uid -> JSON. */
export const dashboardTexts = (): ReadonlyMap<string, string> =>
  new Map(DASHBOARDS_BY_UID.map(([uid, dashboard]) => [uid, `${JSON.stringify(dashboard(), null, 2)}\n`]));

/** A ConfigMap for each, with the label that Grafana's sidecar looks for. Here, because kustomize reads no file above its own. */
const kustomization = (uids: readonly string[]): string => {
  const object = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    configMapGenerator: uids.map((uid) => ({
      name: `dashboard-${uid}`,
      namespace: "signup",
      files: [`${uid}.json`],
      options: {
        disableNameSuffixHash: true,
        labels: { grafana_dashboard: "1", "app.kubernetes.io/name": "signup-stream" },
      },
    })),
  };
  return `# Written by \`bun run generate\`: the dashboards as ConfigMaps, for k8s/components/monitoring.\n${stringify(object, { lineWidth: 0 })}`;
};

/** For `bun run generate`: the dashboards, and the kustomization that hands them to Kubernetes; path from the root -> content. */
export const dashboardFiles = (): ReadonlyMap<string, string> => {
  const texts = dashboardTexts();
  return new Map([
    ...[...texts].map(([uid, text]) => [`${FOLDER}/${uid}.json`, text] as const),
    [`${FOLDER}/kustomization.yaml`, kustomization([...texts.keys()])],
  ]);
};
