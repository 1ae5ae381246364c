import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type KubernetesObject, nameOf } from "./objects.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const root = join(import.meta.dir, "..", "..");

/** `apiVersion kind` -> the module that has its type and its schema. */
const MODULES: Readonly<Record<string, string>> = {
  "v1 Namespace": "kubernetes-models/v1",
  "v1 ServiceAccount": "kubernetes-models/v1",
  "v1 ConfigMap": "kubernetes-models/v1",
  "v1 Secret": "kubernetes-models/v1",
  "v1 Service": "kubernetes-models/v1",
  "apps/v1 Deployment": "kubernetes-models/apps/v1",
  "apps/v1 StatefulSet": "kubernetes-models/apps/v1",
  "batch/v1 Job": "kubernetes-models/batch/v1",
  "policy/v1 PodDisruptionBudget": "kubernetes-models/policy/v1",
  "networking.k8s.io/v1 NetworkPolicy": "kubernetes-models/networking.k8s.io/v1",
  "networking.k8s.io/v1 Ingress": "kubernetes-models/networking.k8s.io/v1",
  "autoscaling/v2 HorizontalPodAutoscaler": "kubernetes-models/autoscaling/v2",
  "scheduling.k8s.io/v1 PriorityClass": "kubernetes-models/scheduling.k8s.io/v1",
  "monitoring.coreos.com/v1 PodMonitor": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
  "keda.sh/v1alpha1 ScaledObject": "@kubernetes-models/keda/keda.sh/v1alpha1",
  "keda.sh/v1alpha1 TriggerAuthentication": "@kubernetes-models/keda/keda.sh/v1alpha1",
  "gateway.networking.k8s.io/v1 HTTPRoute": "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1",
  "external-secrets.io/v1 ExternalSecret": "@kubernetes-models/external-secrets/external-secrets.io/v1",
  "monitoring.coreos.com/v1 PrometheusRule": "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1",
};

/** Fields that the newest types of a kind do not know yet; the policy `defaults` checks them. */
const NEWER_FIELDS: Readonly<Record<string, readonly string[]>> = { ExternalSecret: ["nullBytePolicy"] };

const withoutNewerFields = (object: KubernetesObject): string => {
  const newer = NEWER_FIELDS[object.kind] ?? [];
  return JSON.stringify(object, (key, value: unknown) => (newer.includes(key) ? undefined : value), 2);
};

/** A program whose types are the first check (unknown keys) and whose run is the second (the kind's own schema). */
const programOf = (object: KubernetesObject): string => {
  const kind = `${object.apiVersion} ${object.kind}`;
  const module = MODULES[kind];
  if (module === undefined) throw new Error(`nobody checks objects of ${kind}: give it a module in typed-program.ts`);
  return `import { ${object.kind}, type I${object.kind} } from "${module}";

const object: I${object.kind} = ${withoutNewerFields(object)};
new ${object.kind}(object).validate();
`;
};

const run = async (command: readonly string[], cwd: string): Promise<string> => {
  const child = Bun.spawn([...command], { cwd, stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return `${out}\n${err}`;
};

const CONFIG = {
  extends: "../../tsconfig.json",
  compilerOptions: { types: [], lib: ["ESNext"], noUnusedLocals: false },
  include: ["*.ts"],
  exclude: ["all.ts"],
};

/** Runs them all in one process, and goes on after one that throws. */
const allOf = (count: number): string =>
  `${Array.from({ length: count }, (_, index) => `await import("./object-${index}.ts").catch((error: unknown) => console.log("object-${index}.ts: " + String(error)));`).join("\n")}\n`;

/** What tsc and the schemas say against objects; the reasons of each, none for a good one. */
export const faultsOf = async (objects: readonly KubernetesObject[]): Promise<readonly (readonly string[])[]> => {
  using temporary = temporaryDirectory("typed");
  const directory = temporary.path;
  for (const [index, object] of objects.entries()) {
    writeFileSync(join(directory, `object-${index}.ts`), programOf(object));
  }
  writeFileSync(join(directory, "all.ts"), allOf(objects.length));
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(CONFIG));
  const tsc = join(root, "node_modules", ".bin", "tsc");
  const [types, schemas] = await Promise.all([
    run([process.execPath, "--bun", tsc, "--pretty", "false", "--checkers", "1", "-p", "."], directory),
    run([process.execPath, "all.ts"], directory),
  ]);
  const lines = `${types}\n${schemas}`.split("\n").filter((line) => line.trim() !== "");
  const stray = lines.find((line) => /error/i.test(line) && !/^object-\d+\.ts/.test(line));
  if (stray !== undefined) throw new Error(`the checks themselves failed: ${stray}`);
  return objects.map((object, index) =>
    lines
      .filter((line) => new RegExp(`^object-${index}\\.ts\\b`).test(line))
      .map((line) => `${nameOf(object)}: ${line}`),
  );
};
