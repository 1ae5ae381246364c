import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** Modules that hold definitions of custom resources, and where. */
const MODULES: Readonly<Record<string, readonly [module: string, ...files: readonly string[]]>> = {
  "KEDA 2.21": [
    "github.com/kedacore/keda/v2@v2.21.0",
    ...["scaledobjects", "triggerauthentications"].map((name) => `config/crd/bases/keda.sh_${name}.yaml`),
  ],
  "Gateway API": ["sigs.k8s.io/gateway-api@v1.4.1", "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"],
  "External Secrets": [
    "github.com/external-secrets/external-secrets@v0.16.2",
    "config/crds/bases/external-secrets.io_externalsecrets.yaml",
  ],
  Prometheus: [
    "github.com/prometheus-operator/prometheus-operator@v0.92.1",
    ...["prometheusrules", "podmonitors"].map(
      (name) => `example/prometheus-operator-crd/monitoring.coreos.com_${name}.yaml`,
    ),
  ],
};

/** The newest version of External Secrets that is a module lacks what 2.3 has added. */
const withNullBytePolicy = (text: string): string =>
  text.replaceAll(/^( +)metadataPolicy:$/gm, (line, indent) =>
    [
      `${indent}nullBytePolicy:`,
      `${indent}  default: Ignore`,
      `${indent}  enum: [Ignore, Fail]`,
      `${indent}  type: string`,
      line,
    ].join("\n"),
  );

/** Their definitions, as YAML. */
export const customResources = (): string =>
  Object.values(MODULES)
    .flatMap(([module, ...files]) => {
      const { stdout } = Bun.spawnSync(["go", "mod", "download", "-json", module], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const { Dir } = z.object({ Dir: z.string() }).parse(JSON.parse(stdout.toString()));
      return files.map((file) => withNullBytePolicy(readFileSync(join(Dir, file), "utf8")));
    })
    .join("\n---\n");
