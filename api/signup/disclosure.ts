import type { Disclosure } from "../../database/users/signup.ts";
import type { Settings } from "../../settings/load.ts";
import { USER_SIGNUP_REPEATED } from "../../stream/events/user-signup-repeated.ts";

/** Whether whoever signs up is told that the address is known, by the setting. */
export const disclosureOf = ({ SIGNUP_DISCLOSURE: kind }: Pick<Settings, "SIGNUP_DISCLOSURE">): Disclosure =>
  kind === "open" ? { kind } : { kind, repeatedType: USER_SIGNUP_REPEATED };
