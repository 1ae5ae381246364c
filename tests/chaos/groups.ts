import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { EXAMPLE_GROUP } from "../example-group.ts";

/** Two groups on one event, publish/subscribe: the mail, and the example, whose effect is idempotent. */
export const CHAOS_GROUPS = [WELCOME_EMAIL, EXAMPLE_GROUP] as const;
export const MAIL = WELCOME_EMAIL.name;
export const EXAMPLE = EXAMPLE_GROUP.name;
