import {
  type Group,
  NOTICE_EMAIL,
  PAYMENTS,
  REMINDER_EMAIL,
  WELCOME_EMAIL,
  webhookGroupName,
} from "../../stream/groups.ts";
import { EXAMPLE_GROUP } from "../example-group.ts";

/** The name of the receiver of webhooks. */
export const RECEIVER = "crm";
/** The group of the receiver, as the settings make it. */
const WEBHOOK_GROUP: Group = { name: webhookGroupName(RECEIVER), types: ["user.#"] };

/** Two groups on the event of a signup, publish/subscribe: the mail, and the example, whose effect is idempotent. */
export const CHAOS_GROUPS = [WELCOME_EMAIL, EXAMPLE_GROUP] as const;
/** Those that act as soon as somebody has signed up: a recovery is timed by their effects. */
export const PROMPT_GROUPS = [...CHAOS_GROUPS, WEBHOOK_GROUP] as const;
const GROUPS_OF_A_SIGNUP = [...PROMPT_GROUPS, REMINDER_EMAIL] as const;
/** The names of those that a signup makes a delivery for. */
export const GROUPS_OF_SIGNUPS = GROUPS_OF_A_SIGNUP.map(({ name }) => name).sort();
/** The names of those that a confirmed address makes a delivery for. */
export const GROUPS_OF_VERIFIED = [EXAMPLE_GROUP, WEBHOOK_GROUP].map(({ name }) => name).sort();
/** Every group that has work in a run. */
export const WORKING_GROUPS = [...GROUPS_OF_A_SIGNUP, NOTICE_EMAIL, PAYMENTS] as const;
export const MAIL = WELCOME_EMAIL.name;
export const REMINDER = REMINDER_EMAIL.name;
export const NOTICE = NOTICE_EMAIL.name;
export const EXAMPLE = EXAMPLE_GROUP.name;
export const WEBHOOK = WEBHOOK_GROUP.name;
