import { SETTINGS_FROM_ELSEWHERE } from "../../../k8s/generate.ts";
import { loadSettings, type RequiredSetting, type Role } from "../../../settings/load.ts";
import { SETTINGS } from "../../../settings/schema.ts";
import type { Setting } from "../../../settings/values.ts";
import { RECEIVER_SETTINGS, requiredOfReceiver } from "../../../settings/webhooks.ts";
import { webhookGroupName } from "../../../stream/groups.ts";
import { type KubernetesObject, ofKind } from "../objects.ts";
import { type Container, configOf, oursIn, receiversOf } from "../workloads.ts";
import { type Policy, unless } from "./policy.ts";
import { groupOf } from "./scaling.ts";

type Definitions = Readonly<Record<string, Setting<unknown>>>;

/** The settings that there are, those of each receiver among them. */
const definitionsFor = (receivers: readonly string[]): Definitions => ({
  ...SETTINGS,
  ...Object.fromEntries(
    receivers.flatMap((receiver) =>
      Object.entries<Setting<unknown>>(RECEIVER_SETTINGS).map(([part, definition]) => [
        `WEBHOOK_${receiver.toUpperCase().replaceAll("-", "_")}_${part}`,
        definition,
      ]),
    ),
  ),
});

/** OpenTelemetry's own variables, and those that they are composed of. */
const isTelemetry = (name: string): boolean => /^OTEL_|^(POD_NAME|POD_UID|NODE_NAME)$/.test(name);

const secretValue = (objects: readonly KubernetesObject[], name: string, key: string): string | undefined => {
  const value = ofKind(objects, "Secret").find(({ metadata }) => metadata.name === name)?.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, "base64").toString();
};

/**
 * The environment that a container would have. A Secret that comes from elsewhere has the setting's own example, but for a key
 * that it may lack and that has a value without it.
 */
const environmentOf = (
  objects: readonly KubernetesObject[],
  container: Container,
  definitions: Definitions,
): Record<string, string> => {
  const config = configOf(objects, container);
  const own = container.env.map(({ name, value, valueFrom }) => {
    const { secretKeyRef: secret } = valueFrom ?? {};
    const example = (secret?.optional === true ? config[name] : undefined) ?? definitions[name]?.example ?? "example";
    const found = secret === undefined ? example : (secretValue(objects, secret.name, secret.key) ?? example);
    return [name, value ?? found] as const;
  });
  return { ...config, ...Object.fromEntries(own) };
};

const ROLES: Readonly<Record<string, Role>> = {
  "api/main.ts": "api",
  "consumers/main.ts": "consumer",
  "database/migrate.ts": "migrate",
  "k8s/wait-for-schema.ts": "migrate",
};

/** What a consumer's group requires, if it is a receiver's; those of other groups load without. */
const requiredOf = (receivers: readonly string[], { args }: Container): readonly RequiredSetting[] =>
  receivers.filter((receiver) => webhookGroupName(receiver) === groupOf(args)).flatMap(requiredOfReceiver);

const refusal = (
  role: Role,
  environment: Record<string, string>,
  required: readonly RequiredSetting[],
): string | undefined => {
  try {
    loadSettings(role, environment, required);
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
      const receivers = receiversOf(config);
      const definitions = definitionsFor(receivers);
      for (const setting of [...Object.keys(config), ...container.env.map((env) => env.name)]) {
        named.add(setting);
        faults.push(
          ...unless(name, [
            definitions[setting] !== undefined || isTelemetry(setting),
            `sets ${setting}, which nobody reads`,
          ]),
        );
      }
      for (const setting of Object.keys(config)) {
        faults.push(
          ...unless(name, [
            definitions[setting]?.secret !== true && SETTINGS_FROM_ELSEWHERE[setting] === undefined,
            `has ${setting} in a ConfigMap`,
          ]),
        );
      }
      for (const { name: setting, value } of container.env) {
        faults.push(
          ...unless(name, [definitions[setting]?.secret !== true || value === undefined, `has ${setting} in clear`]),
        );
      }
      const role = ROLES[container.args[0] ?? ""];
      if (role === undefined) faults.push(`${name}: runs ${container.args[0]}, which is no part of the system`);
      else {
        const refused = refusal(role, environmentOf(objects, container, definitions), requiredOf(receivers, container));
        if (refused !== undefined) faults.push(`${name}: would not start: ${refused}`);
      }
    }
  }
  const missing = Object.keys(SETTINGS).filter((setting) => !named.has(setting));
  if (ours.length > 0) faults.push(...missing.map((setting) => `no manifest names ${setting}: bun run generate`));
  return faults;
};
