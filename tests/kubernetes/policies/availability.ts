import { z } from "zod";
import { ofKind, selects } from "../objects.ts";
import { oursIn } from "../workloads.ts";
import { type Policy, unless } from "./policy.ts";

const budget = z.looseObject({
  maxUnavailable: z.union([z.number(), z.string()]).optional(),
  unhealthyPodEvictionPolicy: z.string().optional(),
  selector: z.looseObject({ matchLabels: z.record(z.string(), z.string()) }),
});

const autoscaler = z.looseObject({
  scaleTargetRef: z.looseObject({ name: z.string() }),
  minReplicas: z.number(),
});

/** Longer than a restart of a kubelet takes, and much shorter than the 300 s that pods get otherwise. */
const LOST_NODE_S = 30;
const LOST = ["not-ready", "unreachable"].map((state) => `node.kubernetes.io/${state}`);

type Pod = ReturnType<typeof oursIn>[number]["pod"];

const leavesLostNode = ({ tolerations }: Pod): boolean =>
  LOST.every((taint) =>
    tolerations.some(({ key, effect, tolerationSeconds }) => {
      return key === taint && effect === "NoExecute" && tolerationSeconds === LOST_NODE_S;
    }),
  );

/** Kept apart by the scheduler, and not only if it is convenient; a node with a taint, such as a lost one, is no place to fill first. */
const isOnTwoNodes = ({ topologySpreadConstraints }: Pod): boolean =>
  topologySpreadConstraints.some(
    ({ topologyKey, whenUnsatisfiable, nodeTaintsPolicy, maxSkew }) =>
      topologyKey === "kubernetes.io/hostname" &&
      whenUnsatisfiable === "DoNotSchedule" &&
      nodeTaintsPolicy === "Honor" &&
      maxSkew === 1,
  );

/** A drain of a node takes few pods at a time and is never blocked; pods spread over nodes and zones, and leave a lost node soon. */
export const availability: Policy = (objects) => {
  const autoscalers = ofKind(objects, "HorizontalPodAutoscaler").map(({ spec }) => autoscaler.parse(spec));
  const budgets = ofKind(objects, "PodDisruptionBudget").map(({ spec }) => budget.parse(spec));
  return oursIn(objects)
    .filter(({ object }) => object.kind === "Deployment")
    .flatMap(({ name, object, labels, pod, component, spec }) => {
      const scaled = autoscalers.find(({ scaleTargetRef }) => scaleTargetRef.name === object.metadata.name);
      const own = budgets.filter(({ selector }) => selects(selector.matchLabels, labels));
      const spread = pod.topologySpreadConstraints.map(({ topologyKey }) => topologyKey);
      return unless(
        name,
        [own.length === 1, `has ${own.length} disruption budgets`],
        [own.every(({ maxUnavailable }) => maxUnavailable !== undefined && maxUnavailable !== 0), "holds up a drain"],
        [own.every((of) => of.unhealthyPodEvictionPolicy === "AlwaysAllow"), "holds up a drain when it is not ready"],
        [spread.includes("kubernetes.io/hostname"), "may be all on one node"],
        [spread.includes("topology.kubernetes.io/zone"), "may be all in one zone"],
        [
          component !== "api" || (scaled?.minReplicas ?? spec.replicas ?? 1) >= 2,
          "is one pod: a rollout of its node is an outage",
        ],
        [scaled === undefined || spec.replicas === undefined, "says how many there are, and so does its autoscaler"],
        [component !== "api" || isOnTwoNodes(pod), "may be all on a node that is lost"],
        [leavesLostNode(pod), "stays on a lost node for minutes"],
      );
    });
};
