import { oursIn, workloadsIn } from "../workloads.ts";
import { type Policy, unless } from "./policy.ts";

const LABELS = ["name", "component", "part-of"].map((label) => `app.kubernetes.io/${label}`);

/** One image for all of our parts, no image that changes under its name, and the recommended labels on each pod. */
export const images: Policy = (objects) => {
  const ours = new Set(oursIn(objects).flatMap(({ containers }) => containers.map(({ image }) => image)));
  return [
    ...unless("our parts", [ours.size <= 1, `run from different images: ${[...ours].join(", ")}`]),
    ...workloadsIn(objects).flatMap(({ name, containers, labels }) => [
      ...containers.flatMap(({ image }) =>
        unless(
          name,
          [/:[\w][\w.-]*(@sha256:[0-9a-f]{64})?$/.test(image), `runs ${image}, which has no tag`],
          [!/:latest\b/.test(image), `runs ${image}, which is another one tomorrow`],
        ),
      ),
      ...LABELS.flatMap((label) => unless(name, [labels[label] !== undefined, `its pods have no ${label}`])),
    ]),
  ];
};
