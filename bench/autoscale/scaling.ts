import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { Scaling } from "./autoscaler.ts";

const FILE = join(import.meta.dir, "../../k8s/components/keda/scaled-object/scaled-object.yaml");
/** kube-controller-manager, --horizontal-pod-autoscaler-sync-period, in s. */
const SYNC_PERIOD = 15;

const policies = z.array(z.object({ type: z.enum(["Percent", "Pods"]), value: z.number(), periodSeconds: z.number() }));

const scaledObject = z.object({
  spec: z.object({
    pollingInterval: z.number(),
    cooldownPeriod: z.number(),
    maxReplicaCount: z.number(),
    advanced: z.object({
      horizontalPodAutoscalerConfig: z.object({
        behavior: z.object({
          scaleUp: z.object({ policies }),
          scaleDown: z.object({ policies, stabilizationWindowSeconds: z.number() }),
        }),
      }),
    }),
  }),
});

/** How the manifests scale the consumers of each group. */
export const readScaling = async (): Promise<Scaling> => {
  const { spec } = scaledObject.parse(parse(await Bun.file(FILE).text()));
  const { scaleUp, scaleDown } = spec.advanced.horizontalPodAutoscalerConfig.behavior;
  return {
    pollingInterval: spec.pollingInterval,
    cooldownPeriod: spec.cooldownPeriod,
    maxReplicaCount: spec.maxReplicaCount,
    scaleUp: scaleUp.policies,
    scaleDown: scaleDown.policies,
    scaleDownWindow: scaleDown.stabilizationWindowSeconds,
    syncPeriod: SYNC_PERIOD,
  };
};
