import { z } from "zod";
import { receiverNames } from "../../settings/webhooks.ts";
import { type KubernetesObject, nameOf } from "./objects.ts";

const reference = z.looseObject({ name: z.string(), key: z.string(), optional: z.boolean().optional() });

const probe = z.looseObject({
  httpGet: z.looseObject({ path: z.string(), port: z.union([z.string(), z.number()]) }).optional(),
  failureThreshold: z.number().optional(),
  periodSeconds: z.number().optional(),
});

const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).default([]),
  env: z
    .array(
      z.looseObject({
        name: z.string(),
        value: z.string().optional(),
        valueFrom: z
          .looseObject({
            secretKeyRef: reference.optional(),
            fieldRef: z.looseObject({ apiVersion: z.string().optional(), fieldPath: z.string() }).optional(),
          })
          .optional(),
      }),
    )
    .default([]),
  envFrom: z.array(z.looseObject({ configMapRef: z.looseObject({ name: z.string() }).optional() })).default([]),
  ports: z.array(z.looseObject({ name: z.string(), containerPort: z.number() })).default([]),
  startupProbe: probe.optional(),
  readinessProbe: probe.optional(),
  livenessProbe: probe.optional(),
  lifecycle: z
    .looseObject({
      preStop: z.looseObject({ sleep: z.looseObject({ seconds: z.number() }).optional() }).optional(),
    })
    .optional(),
  resources: z
    .looseObject({
      requests: z.record(z.string(), z.string()).default({}),
      limits: z.record(z.string(), z.string()).default({}),
    })
    .optional(),
  securityContext: z
    .looseObject({
      allowPrivilegeEscalation: z.boolean().optional(),
      readOnlyRootFilesystem: z.boolean().optional(),
      privileged: z.boolean().optional(),
      capabilities: z
        .looseObject({ drop: z.array(z.string()).default([]), add: z.array(z.string()).default([]) })
        .optional(),
    })
    .optional(),
});

const workloadSpec = z.looseObject({
  replicas: z.number().optional(),
  selector: z.looseObject({ matchLabels: z.record(z.string(), z.string()) }).optional(),
  strategy: z
    .looseObject({ rollingUpdate: z.looseObject({ maxUnavailable: z.union([z.number(), z.string()]) }).optional() })
    .optional(),
  template: z.looseObject({
    metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
    spec: z.looseObject({
      serviceAccountName: z.string().optional(),
      priorityClassName: z.string().optional(),
      automountServiceAccountToken: z.boolean().optional(),
      enableServiceLinks: z.boolean().optional(),
      hostNetwork: z.boolean().optional(),
      terminationGracePeriodSeconds: z.number().default(30),
      securityContext: z
        .looseObject({
          runAsNonRoot: z.boolean().optional(),
          runAsUser: z.number().optional(),
          seccompProfile: z.looseObject({ type: z.string() }).optional(),
        })
        .optional(),
      topologySpreadConstraints: z
        .array(
          z.looseObject({
            topologyKey: z.string(),
            maxSkew: z.number(),
            whenUnsatisfiable: z.string(),
            nodeTaintsPolicy: z.string().optional(),
          }),
        )
        .default([]),
      tolerations: z
        .array(
          z.looseObject({
            key: z.string().optional(),
            effect: z.string().optional(),
            tolerationSeconds: z.number().optional(),
          }),
        )
        .default([]),
      initContainers: z.array(container).default([]),
      containers: z.array(container),
      volumes: z
        .array(z.looseObject({ name: z.string(), secret: z.looseObject({ secretName: z.string() }).optional() }))
        .default([]),
    }),
  }),
});

export type Container = z.output<typeof container>;

/** What runs pods: a Deployment, a StatefulSet or a Job. */
export interface Workload {
  /** `Kind/name`. */
  readonly name: string;
  readonly object: KubernetesObject;
  readonly spec: z.output<typeof workloadSpec>;
  readonly labels: Readonly<Record<string, string>>;
  readonly pod: z.output<typeof workloadSpec>["template"]["spec"];
  /** Init containers too. */
  readonly containers: readonly Container[];
  /** Ours, or somebody else's image. */
  readonly isOurs: boolean;
  /** Of ours: `api`, `consumer` or `migrate`. */
  readonly component: string;
}

const KINDS = new Set(["Deployment", "StatefulSet", "Job"]);
const OUR_NAME = "signup-stream";

export const workloadsIn = (objects: readonly KubernetesObject[]): readonly Workload[] =>
  objects
    .filter(({ kind }) => KINDS.has(kind))
    .map((object) => {
      const spec = workloadSpec.parse(object.spec);
      const { labels } = spec.template.metadata;
      const pod = spec.template.spec;
      return {
        name: nameOf(object),
        object,
        spec,
        labels,
        pod,
        containers: [...pod.initContainers, ...pod.containers],
        isOurs: labels["app.kubernetes.io/name"] === OUR_NAME,
        component: labels["app.kubernetes.io/component"] ?? "",
      };
    });

export const oursIn = (objects: readonly KubernetesObject[]): readonly Workload[] =>
  workloadsIn(objects).filter((workload) => workload.isOurs);

/** What a ConfigMap that a container reads from says. */
export const configOf = (objects: readonly KubernetesObject[], { envFrom }: Container): Record<string, string> => {
  const names = envFrom.map(({ configMapRef }) => configMapRef?.name);
  const maps = objects.filter(({ kind, metadata }) => kind === "ConfigMap" && names.includes(metadata.name));
  return Object.assign({}, ...maps.map(({ data }) => data ?? {}));
};

/** The receivers of webhooks that a ConfigMap names. */
export const receiversOf = (config: Readonly<Record<string, string>>): readonly string[] =>
  receiverNames.parse(config["WEBHOOKS"] ?? "");
