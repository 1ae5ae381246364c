import { z } from "zod";
import { ofKind, selects } from "../objects.ts";
import { oursIn } from "../workloads.ts";
import { type Policy, unless } from "./policy.ts";

const budget = z.looseObject({
  maxUnavailable: z.union([z.number(), z.string()]).optional(),
  unhealthyPodEvictionPolicy: z.string().optional(),
  selector: z.looseObject({ matchLabels: z.record(z.string(), z.string()) }),
});

/** A drain of a node takes few pods at a time and is never blocked; pods spread over nodes and zones. */
export const availability: Policy = (objects) => {
  const budgets = ofKind(objects, "PodDisruptionBudget").map(({ spec }) => budget.parse(spec));
  return oursIn(objects)
    .filter(({ object }) => object.kind === "Deployment")
    .flatMap(({ name, labels, pod, component, spec }) => {
      const own = budgets.filter(({ selector }) => selects(selector.matchLabels, labels));
      const spread = pod.topologySpreadConstraints.map(({ topologyKey }) => topologyKey);
      return unless(
        name,
        [own.length === 1, `has ${own.length} disruption budgets`],
        [own.every(({ maxUnavailable }) => maxUnavailable !== undefined && maxUnavailable !== 0), "holds up a drain"],
        [own.every((of) => of.unhealthyPodEvictionPolicy === "AlwaysAllow"), "holds up a drain when it is not ready"],
        [spread.includes("kubernetes.io/hostname"), "may be all on one node"],
        [spread.includes("topology.kubernetes.io/zone"), "may be all in one zone"],
        [component !== "api" || (spec.replicas ?? 1) >= 2, "is one pod: a rollout of its node is an outage"],
      );
    });
};
