import { PAYMENTS, REMINDER_EMAIL, WELCOME_EMAIL } from "../../stream/groups.ts";
import { EXAMPLE_GROUP } from "../example-group.ts";

/** Two groups on the event of a signup, publish/subscribe: the mail, and the example, whose effect is idempotent. */
export const CHAOS_GROUPS = [WELCOME_EMAIL, EXAMPLE_GROUP] as const;
/** The names of those that a signup makes a delivery for; the reminder's is not due before a run ends. */
export const GROUPS_OF_SIGNUPS = [...CHAOS_GROUPS, REMINDER_EMAIL].map(({ name }) => name).sort();
/** Every group that has work in a run. */
export const WORKING_GROUPS = [...CHAOS_GROUPS, PAYMENTS] as const;
export const MAIL = WELCOME_EMAIL.name;
export const EXAMPLE = EXAMPLE_GROUP.name;
