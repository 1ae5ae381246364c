import type { FaultCode } from "../../faults.ts";
import { plainFault } from "../../passwords/plain-rules.ts";
import { passwordFaults, userNameFaults } from "../../signup/plain-rules.ts";

/** What the signup page can find out by itself. The server checks all of it again, and more. */
export const CHECKED_WHILE_TYPING = [
  "not_well_formed",
  "required",
  "user_name_empty",
  "user_name_too_long",
  "user_name_control_characters",
  "user_name_invisible",
  "email_invalid",
  "email_too_long",
  "email_local_part_not_ascii",
  "password_too_short",
  "password_too_long",
  "password_run",
  "password_personal",
] as const satisfies readonly FaultCode[];

export const FIELDS = ["user_name", "email", "password"] as const;
export type Field = (typeof FIELDS)[number];
export type Typed = Readonly<Record<Field, string>>;

/** The words of the page in its language, as the server gives them to its script. */
export interface PageWords {
  readonly brandName: string;
  /** By code. */
  readonly faults: Readonly<Record<string, string>>;
  readonly rules: Readonly<Record<RuleName, string>>;
  readonly didYouMean: readonly [string, string];
  readonly show: string;
  readonly hide: string;
  readonly submit: string;
  readonly submitting: string;
  readonly errorPrefix: string;
}

export const RULES = ["length", "password_run", "password_personal"] as const;
export type RuleName = (typeof RULES)[number];

/** `name@host.tld`: what is neither is no address for the server either. */
const ADDRESS = /^[^\s@,:;<>()[\]\\"%!]+@[^\s@.,/]+(?:\.[^\s@.,/]+)+$/u;
const MAX_ADDRESS = 254;

const emailFaults = (typed: string): FaultCode[] => {
  const text = typed.trim();
  if (text === "") return ["required"];
  if (text.length > MAX_ADDRESS) return ["email_too_long"];
  if (!ADDRESS.test(text)) return ["email_invalid"];
  return /[^\0-\x7f]/.test(text.slice(0, text.lastIndexOf("@"))) ? ["email_local_part_not_ascii"] : [];
};

/** Which rules a password meets so far. None of an empty one is broken: it is not there yet. */
export const rulesMet = (typed: Typed, brandName: string): Readonly<Record<RuleName, boolean>> => {
  const password = typed.password.normalize("NFC");
  const fault = password === "" ? undefined : plainFault(password, ownerOf(typed), brandName);
  return {
    length: passwordFaults(password).length === 0,
    password_run: password !== "" && fault !== "password_run",
    password_personal: password !== "" && fault !== "password_personal",
  };
};

const ownerOf = ({ email, user_name: userName }: Typed) => ({ email: email.trim(), userName: userName.trim() });

/** The faults of one field, as the server would name them. */
export const faultsOf = (field: Field, typed: Typed, brandName: string): readonly FaultCode[] => {
  if (field === "user_name") return userNameFaults(typed.user_name.normalize("NFC").trim());
  if (field === "email") return emailFaults(typed.email);
  const password = typed.password.normalize("NFC");
  if (password === "") return ["required"];
  const fault = plainFault(password, ownerOf(typed), brandName);
  return [...passwordFaults(password), ...(fault === undefined ? [] : [fault])];
};

/** Domains that many people have their mail at, and mistype. */
const COMMON_DOMAINS = ["gmail.com", "yahoo.com", "yahoo.com.vn", "outlook.com", "hotmail.com", "icloud.com"];

/** Providers of their own that look like a slip. */
const NEIGHBOURS = ["mail.com", "ymail.com", "email.com"];

/** Whether one is the other with a letter too many, too few, another one, or two that changed places. */
const isOneSlipAway = (one: string, other: string): boolean => {
  let start = 0;
  while (start < one.length && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < Math.min(one.length, other.length) - start && one.at(-1 - end) === other.at(-1 - end)) end += 1;
  const [here, there] = [one.slice(start, one.length - end), other.slice(start, other.length - end)];
  return (here.length <= 1 && there.length <= 1) || (here.length === 2 && here === [...there].toReversed().join(""));
};

/** `a@gmial.com` -> `a@gmail.com`; undefined if nothing looks like a slip. */
export const probablyMeant = (typed: string): string | undefined => {
  const text = typed.trim();
  const at = text.lastIndexOf("@");
  const domain = text.slice(at + 1).toLowerCase();
  if (at < 1 || [...COMMON_DOMAINS, ...NEIGHBOURS].includes(domain)) return undefined;
  const meant = COMMON_DOMAINS.find((common) => isOneSlipAway(domain, common));
  return meant === undefined ? undefined : `${text.slice(0, at)}@${meant}`;
};
