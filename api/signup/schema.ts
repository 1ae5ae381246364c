import { z } from "zod";
import { LOCALES, type Locale } from "../../stream/events/user-signed-up.ts";
import { type FaultCode, faultAt, type Parsed, parseBy } from "../faults.ts";
import type { PasswordRules } from "../passwords/rules.ts";
import { parseEmailAddress } from "./email-address.ts";
import type { NameRules } from "./names/name-rules.ts";
import {
  codePoints,
  MAX_PASSWORD,
  MAX_USER_NAME,
  MIN_PASSWORD,
  passwordFaults,
  userNameFaults,
} from "./plain-rules.ts";

/** A string; a missing one and one of another type are different faults. */
const text = () => z.string({ error: ({ input }): FaultCode => (input === undefined ? "required" : "not_text") });

const checkedBy =
  (faultsOf: (value: string) => readonly FaultCode[]) =>
  (context: z.core.ParsePayload<string>): void => {
    for (const message of faultsOf(context.value)) {
      context.issues.push({ code: "custom", message, input: context.value });
    }
  };

/** No code point is composed (NFC) of more. */
const MOST_COMPOSED = 4;

/**
 * In NFC; as it is if it is longer than `most` whatever it is composed of. To put a body of nothing but combining marks in their order takes a time
 * that grows with the square of its length: a quarter of a second.
 */
const composed = (typed: string, most: number): string => {
  const longest = MOST_COMPOSED * most;
  return typed.length > longest && codePoints(typed) > longest ? typed : typed.normalize("NFC");
};

const normalName = (typed: string): string => composed(typed.trim(), MAX_USER_NAME).trim();
const normalPassword = (typed: string): string => composed(typed, MAX_PASSWORD);

/** The body of a signup. Lengths are in code points, as in JSON Schema. Unknown fields are ignored. */
export const signupSchema = z.object(
  {
    user_name: text()
      .overwrite(normalName)
      .check(checkedBy(userNameFaults))
      .meta({
        minLength: 1,
        maxLength: MAX_USER_NAME,
        description:
          "Counted in code points after NFC and trimming. No control, direction-changing or hidden characters, no word of " +
          "mixed scripts, no piled-up marks, and no name that looks like a reserved one. Markup is allowed.",
        examples: ["Đặng Thị Hoa"],
      }),
    email: text()
      .transform((typed, context) => {
        const parsed = parseEmailAddress(typed);
        if ("address" in parsed) return parsed.address;
        context.issues.push({ code: "custom", message: parsed.fault, input: typed });
        return z.NEVER;
      })
      .meta({
        format: "email",
        maxLength: 254,
        description: "One address. The domain may be international; the part before the @ is ASCII.",
        examples: ["hoa@example.com"],
      }),
    password: text()
      .overwrite(normalPassword)
      .check(checkedBy(passwordFaults))
      .meta({
        format: "password",
        writeOnly: true,
        minLength: MIN_PASSWORD,
        maxLength: MAX_PASSWORD,
        description:
          "Counted in code points after NFC. Any characters, but not a common password, a mere run, or the address or name.",
        examples: ["một mật khẩu dài và riêng"],
      }),
    locale: z
      .enum(LOCALES, { error: (): FaultCode => "locale_unknown" })
      .default("vi")
      .meta({ description: "The language of the welcome mail." }),
  },
  { error: (): FaultCode => "not_an_object" },
);

/** A signup after normalisation, its password still in plain text. */
export type SignupInput = z.output<typeof signupSchema>;

const { user_name: userName, email, password } = signupSchema.shape;
/** The fields of a body with other faults, as far as each is in order by itself. */
const fieldsInOrder = z.object({ user_name: userName.catch(""), email: email.catch(""), password: password.catch("") });

const isObject = (body: unknown): body is Readonly<Record<string, unknown>> =>
  typeof body === "object" && body !== null && !Array.isArray(body);

const isLocale = (typed: unknown): typed is Locale => {
  for (const known of LOCALES) if (known === typed) return true;
  return false;
};

/**
 * A body in which the schema finds no fault, read without it: it takes as long as everything else that is done with a body.
 * Undefined: the schema says what is wrong, if anything is.
 */
const readFaultless = (body: unknown): SignupInput | undefined => {
  if (!isObject(body)) return undefined;
  const { user_name: typedName, email: typedEmail, password: typedPassword, locale: typedLocale = "vi" } = body;
  if (!isLocale(typedLocale)) return undefined;
  if (typeof typedName !== "string" || typeof typedEmail !== "string" || typeof typedPassword !== "string") {
    return undefined;
  }
  const name = normalName(typedName);
  const secret = normalPassword(typedPassword);
  const parsed = parseEmailAddress(typedEmail);
  const isFaultless = userNameFaults(name).length === 0 && passwordFaults(secret).length === 0 && "address" in parsed;
  return isFaultless ? { user_name: name, email: parsed.address, password: secret, locale: typedLocale } : undefined;
};

/** What the schema says of a body. */
export const parseBody = (body: unknown): Parsed<SignupInput> => {
  const input = readFaultless(body);
  return input === undefined ? parseBy(signupSchema, body) : { kind: "valid", input };
};

/** Checks a body and reports all its faults at once. */
export type ParseSignup = (body: unknown) => Parsed<SignupInput>;

/** The schema says what a body may be, the rules what would deceive others or be guessed. */
export const createParseSignup = (rules: {
  readonly names: NameRules;
  readonly passwords: PasswordRules;
}): ParseSignup => {
  return (body) => {
    const parsed = parseBody(body);
    const fields = parsed.kind === "valid" ? parsed.input : fieldsInOrder.safeParse(body).data;
    if (fields === undefined) return parsed;
    const { user_name: name, email: address, password: secret } = fields;
    const ofName = name === "" ? [] : rules.names(name);
    const ofPassword = secret === "" ? [] : rules.passwords(secret, { email: address, userName: name });
    if (ofName.length + ofPassword.length === 0) return parsed;
    const faults = [
      ...(parsed.kind === "invalid" ? parsed.faults : []),
      ...ofName.map((code) => faultAt(["user_name"], code)),
      ...ofPassword.map((code) => faultAt(["password"], code)),
    ];
    return { kind: "invalid", faults };
  };
};
