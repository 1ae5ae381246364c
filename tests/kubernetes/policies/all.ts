import { GROUPS, type Group } from "../../../stream/groups.ts";
import { availability } from "./availability.ts";
import { defaults } from "./defaults.ts";
import { images } from "./images.ts";
import { lifecycle } from "./lifecycle.ts";
import { podSecurity } from "./pod-security.ts";
import type { Policy } from "./policy.ts";
import { references } from "./references.ts";
import { resources } from "./resources.ts";
import { scalingOfGroups } from "./scaling.ts";
import { settings } from "./settings.ts";
import { size } from "./size.ts";

/** Every policy, for a system that has these groups. */
export const policiesFor = (groups: readonly Group[]): Readonly<Record<string, Policy>> => ({
  availability,
  defaults,
  images,
  lifecycle,
  podSecurity,
  references,
  resources,
  scaling: scalingOfGroups(groups),
  settings,
  size,
});

/** Every policy, for the groups of `stream/groups.ts`. */
export const POLICIES = policiesFor(GROUPS);
