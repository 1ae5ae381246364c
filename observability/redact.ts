/** Anything that looks like a mailbox: `local@domain`, quoted local parts included. Greedy on purpose. */
const ADDRESS = /(?:"[^"\n]{1,64}"|[^\s<>"'(),:;@[\]\\]{1,64})@[^\s<>"'(),;@]{1,255}/gu;

/**
 * The text with every mail address replaced by `<address>`.
 *
 * Mail servers quote the recipient in their replies; replies go to the ledger, to dead letters and to the log, and none
 * of these may hold personal data.
 */
export const withoutAddresses = (text: string): string => text.replace(ADDRESS, "<address>");

/** Fields whose values are about a person, or secret, whoever writes them and in whichever spelling. */
const PERSONAL = new Set(
  ["email", "user_name", "name", "full_name", "display_name", "address", "recipient", "to", "password", "authorization"]
    .concat(["cookie", "service_token", "email_key", "user_name_key", "password_hash", "rcpt", "envelope"])
    .map((field) => field.replaceAll("_", "")),
);

const REDACTED = "<redacted>";

/** Whether a field of that name holds what must not be logged: `user_name`, `userName`, `User-Name`. */
export const isPersonalField = (field: string): boolean =>
  PERSONAL.has(field.toLowerCase().replaceAll("_", "").replaceAll("-", ""));

/** `"user_name":"Ánh"`, as bodies and errors quote it. */
const JSON_MEMBER = /("([\w-]{1,40})"\s*:\s*)"(?:[^"\\]|\\.){0,2000}"/gu;
/** `Key (user_name_key)=(ánh) already exists.`, and `Failing row contains (..., Ánh, ...).`, as Postgres says it. */
const POSTGRES_VALUES = /((?:\bKey \([^)\n]{1,200}\)=|\bFailing row contains ))\(.{0,4000}\)/gu;

/** Text that may quote what a person wrote: addresses, JSON members of personal fields, and Postgres' rows are taken out. */
export const withoutPersonalData = (text: string): string =>
  withoutAddresses(
    text
      .replace(JSON_MEMBER, (member: string, before: string, field: string) =>
        isPersonalField(field) ? `${before}"${REDACTED}"` : member,
      )
      .replace(POSTGRES_VALUES, (_, before: string) => `${before}(${REDACTED})`),
  );

/** Of a line; no line of ours is as deep. */
const MAX_DEPTH = 6;

/**
 * An error as fields: what it was, and where; not the source that its runtime prints around it. Its class is its `type`, for
 * `name` is a person's. Anything else is returned unchanged.
 */
export const asFields = (value: unknown): unknown => {
  if (!(value instanceof Error)) return value;
  return {
    type: value.name,
    message: value.message,
    ...("code" in value ? { code: value.code } : {}),
    stack: value.stack,
    ...(value.cause === undefined ? {} : { cause: asFields(value.cause) }),
  };
};

/**
 * A parsed JSON value as it may be logged: personal fields redacted at any depth, every text cleaned. What lies too deep is
 * left out.
 */
export const withoutPersonalFields = (value: unknown, depth = MAX_DEPTH): unknown => {
  if (typeof value === "string") return withoutPersonalData(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return "<too deep>";
  if (Array.isArray(value)) return value.map((item) => withoutPersonalFields(item, depth - 1));
  return Object.fromEntries(
    Object.entries(value).map(([field, item]) => [
      field,
      isPersonalField(field) ? REDACTED : withoutPersonalFields(item, depth - 1),
    ]),
  );
};
