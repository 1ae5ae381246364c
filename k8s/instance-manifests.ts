import { type DeployedGroup, manifest } from "./group-manifests.ts";

/** Names of the triggers of every group that read a stream. */
const STREAM_TRIGGERS = ["lag", "lag-of-retries", "pending", "pending-of-retries"];

/** On the Service of the api: what the keys of the pipeline begin with, as far as the name. */
const ANNOTATION = "metadata.annotations.signup-stream/keys";

/**
 * `STREAM_NAME` of the ConfigMap, in the keys that KEDA counts: path below `k8s/` -> content. A replacement splits at one text, so
 * `{shop}` takes two steps: the name gets its brace in an annotation, and both replace what is before the closing brace.
 */
export const instanceManifests = (groups: readonly DeployedGroup[]): ReadonlyMap<string, string> => {
  const delayed = groups.filter(({ isDelayed }) => isDelayed);
  const untilBrace = { delimiter: "}", index: 0 };
  const replacements = [
    {
      source: { kind: "ConfigMap", name: "settings", fieldPath: "data.STREAM_NAME" },
      targets: [
        {
          select: { kind: "Service", name: "api" },
          fieldPaths: [ANNOTATION],
          options: { delimiter: "{", index: 1 },
        },
      ],
    },
    {
      source: { kind: "Service", name: "api", fieldPath: ANNOTATION },
      targets: [
        {
          select: { kind: "ScaledObject" },
          fieldPaths: STREAM_TRIGGERS.map((name) => `spec.triggers.[name=${name}].metadata.stream`),
          options: untilBrace,
        },
        {
          select: { kind: "ScaledObject" },
          // The retry set of a group whose work waits is no trigger.
          ...(delayed.length === 0 ? {} : { reject: delayed.map(({ name }) => ({ name: `consumer-${name}` })) }),
          fieldPaths: ["spec.triggers.[name=waiting-retries].metadata.listName"],
          options: untilBrace,
        },
      ],
    },
  ];
  const transformer = {
    apiVersion: "builtin",
    kind: "ReplacementTransformer",
    metadata: { name: "keys" },
    replacements,
  };
  return new Map([
    ["instance/keys.yaml", manifest("KEDA counts in the pipeline that STREAM_NAME names.", transformer)],
  ]);
};
