import { workloadsIn } from "../workloads.ts";
import { type Policy, unless } from "./policy.ts";

/** Not as the API server writes it back (`2`, `1Gi`), so that a comparison of texts differs for ever. */
const isRewritten = (quantity: string): boolean => {
  const [, digits = "", unit = ""] = /^(\d+)(\D*)$/.exec(quantity) ?? [];
  return unit === "m" ? Number(digits) % 1_000 === 0 : /^[KMG]i$/.test(unit) && Number(digits) % 1_024 === 0;
};

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
        [
          ![...Object.values(of?.requests ?? {}), ...Object.values(of?.limits ?? {})].some(isRewritten),
          "has a quantity that the API server writes otherwise",
        ],
      ),
    ),
  );
