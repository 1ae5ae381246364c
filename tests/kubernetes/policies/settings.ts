import { SETTINGS_FROM_ELSEWHERE } from "../../../k8s/generate.ts";
import { loadSettings, type Role } from "../../../settings/load.ts";
import { SETTINGS } from "../../../settings/schema.ts";
import type { Setting } from "../../../settings/values.ts";
import { type KubernetesObject, ofKind } from "../objects.ts";
import { type Container, configOf, oursIn } from "../workloads.ts";
import { type Policy, unless } from "./policy.ts";

const DEFINITIONS: Readonly<Record<string, Setting<unknown>>> = SETTINGS;

/** OpenTelemetry's own variables, and those that they are composed of. */
const isTelemetry = (name: string): boolean => /^OTEL_|^(POD_NAME|POD_UID|NODE_NAME)$/.test(name);

const secretValue = (objects: readonly KubernetesObject[], name: string, key: string): string | undefined => {
  const value = ofKind(objects, "Secret").find(({ metadata }) => metadata.name === name)?.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, "base64").toString();
};

/** The environment that a container would have; a Secret that comes from elsewhere has the setting's own example. */
const environmentOf = (objects: readonly KubernetesObject[], container: Container): Record<string, string> => {
  const own = container.env.map(({ name, value, valueFrom }) => {
    const { secretKeyRef: secret } = valueFrom ?? {};
    const example = DEFINITIONS[name]?.example ?? "example";
    const found = secret === undefined ? example : (secretValue(objects, secret.name, secret.key) ?? example);
    return [name, value ?? found] as const;
  });
  return { ...configOf(objects, container), ...Object.fromEntries(own) };
};

const ROLES: Readonly<Record<string, Role>> = {
  "api/main.ts": "api",
  "consumers/main.ts": "consumer",
  "database/migrate.ts": "migrate",
  "k8s/wait-for-schema.ts": "migrate",
};

const refusal = (role: Role, environment: Record<string, string>): string | undefined => {
  try {
    loadSettings(role, environment);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

/** All settings of the schema are there, no others, each in the right kind of object, and each process would start with them. */
export const settings: Policy = (objects) => {
  const ours = oursIn(objects);
  const named = new Set<string>();
  const faults: string[] = [];
  for (const { name, containers } of ours) {
    for (const container of containers) {
      const config = configOf(objects, container);
      for (const setting of [...Object.keys(config), ...container.env.map((env) => env.name)]) {
        named.add(setting);
        faults.push(
          ...unless(name, [
            DEFINITIONS[setting] !== undefined || isTelemetry(setting),
            `sets ${setting}, which nobody reads`,
          ]),
        );
      }
      for (const setting of Object.keys(config)) {
        faults.push(
          ...unless(name, [
            DEFINITIONS[setting]?.secret !== true && SETTINGS_FROM_ELSEWHERE[setting] === undefined,
            `has ${setting} in a ConfigMap`,
          ]),
        );
      }
      for (const { name: setting, value } of container.env) {
        faults.push(
          ...unless(name, [DEFINITIONS[setting]?.secret !== true || value === undefined, `has ${setting} in clear`]),
        );
      }
      const role = ROLES[container.args[0] ?? ""];
      if (role === undefined) faults.push(`${name}: runs ${container.args[0]}, which is no part of the system`);
      else {
        const refused = refusal(role, environmentOf(objects, container));
        if (refused !== undefined) faults.push(`${name}: would not start: ${refused}`);
      }
    }
  }
  const missing = Object.keys(SETTINGS).filter((setting) => !named.has(setting));
  if (ours.length > 0) faults.push(...missing.map((setting) => `no manifest names ${setting}: bun run generate`));
  return faults;
};
