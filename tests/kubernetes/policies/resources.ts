import { workloadsIn } from "../workloads.ts";
import { type Policy, unless } from "./policy.ts";

/** Requests for the scheduler, a limit of memory for the node; no limit of CPU, which would only slow down bursts. */
export const resources: Policy = (objects) =>
  workloadsIn(objects).flatMap(({ name, containers }) =>
    containers.flatMap(({ name: container, resources: of }) =>
      unless(
        `${name} ${container}`,
        [of?.requests["cpu"] !== undefined, "requests no CPU"],
        [of?.requests["memory"] !== undefined, "requests no memory"],
        [of?.limits["memory"] !== undefined, "has no limit of memory"],
        [of?.limits["cpu"] === undefined, "has a limit of CPU"],
      ),
    ),
  );
