/** Anything that looks like a mailbox: `local@domain`, quoted local parts included. Greedy on purpose. */
const ADDRESS = /(?:"[^"\n]{1,64}"|[^\s<>"'(),:;@[\]\\]{1,64})@[^\s<>"'(),;@]{1,255}/gu;

/**
 * The text with every mail address replaced by `<address>`.
 *
 * Mail servers quote the recipient in their replies; replies go to the ledger, to dead letters and to the log, and none
 * of these may hold personal data.
 */
export const withoutAddresses = (text: string): string =>
  text.includes("@") ? text.replace(ADDRESS, "<address>") : text;

const ASCII = /^[\0-\x7f]*$/;

/** False only if `text` cannot contain `word` in any case. */
const mayContain = (text: string, word: string): boolean =>
  !ASCII.test(text) || !ASCII.test(word) || text.toLowerCase().includes(word.toLowerCase());

/** A reply's code, and its enhanced code: RFC 5321, 4.2; RFC 3463. Nobody's local part, wherever a line begins with it. */
const REPLY_CODES = /^\d{3}(?:[ -]#?[245]\.\d{1,3}\.\d{1,3}(?![.\d]))?/;
/** A shorter local part without its dots is a word of too many other meanings. */
const MIN_WITHOUT_DOTS = 5;

/** The spellings under which a server names a mailbox: as it was told, without the tag, without the dots. */
const spellingsOf = (localPart: string): readonly string[] => {
  const [mailbox = ""] = localPart.split("+");
  const bare = mailbox.replaceAll(".", "");
  return [localPart, mailbox, ...(bare.length >= MIN_WITHOUT_DOTS ? [bare] : [])].filter((spelling) => spelling !== "");
};

/**
 * The same for what a mail server said of one recipient: beside every address, the recipient's local part goes wherever it
 * is a word, in any case, quoted or not ("No such user john.doe here"). Of its tag and its dots a server may know nothing.
 */
export const withoutRecipient = (text: string, recipient: string): string => {
  const [localPart = ""] = recipient.split("@");
  const cleaned = withoutAddresses(text);
  // Most replies name nobody, and to compile a pattern for each recipient would cost more than the rest of a mail.
  const named = spellingsOf(localPart).filter((spelling) => mayContain(cleaned, spelling));
  if (named.length === 0) return cleaned;
  const longestFirst = named.toSorted((a, b) => b.length - a.length);
  const words = longestFirst.map((spelling) => RegExp.escape(spelling)).join("|");
  const word = new RegExp(`(?<![\\p{L}\\p{N}])(?:${words})(?![\\p{L}\\p{N}])`, "giu");
  return cleaned
    .split("\n")
    .map((line) => {
      const codes = REPLY_CODES.exec(line)?.[0] ?? "";
      return codes + line.slice(codes.length).replace(word, "<address>");
    })
    .join("\n");
};

/** Fields whose values are about a person, or secret, whoever writes them and in whichever spelling. */
const PERSONAL = new Set(
  ["email", "user_name", "name", "full_name", "display_name", "address", "recipient", "to", "password", "authorization"]
    .concat(["cookie", "service_token", "email_key", "user_name_key", "password_hash", "rcpt", "envelope"])
    .map((field) => field.replaceAll("_", "")),
);

const REDACTED = "<redacted>";

/** A field's name in any of the spellings that `isPersonalField` knows: `user_name`, `userName`. */
const anySpelling = (field: string): string => [...field].join("[_-]*");
/** What quotes a person, or names a field of a person's. */
const SUSPICIOUS = new RegExp(
  ["Key \\(", "Failing row", `"[_-]*(?:${[...PERSONAL].map(anySpelling).join("|")})[_-]*"`].join("|"),
  "i",
);
/** With more brackets a line may be deeper than what is cleaned. */
const MOST_BRACKETS = 5;
const AT = 0x40;
const BACKSLASH = 0x5c;
const BRACE = 0x7b;
const BRACKET = 0x5b;
const LAST_ASCII = 0x7f;

/** What may hide what is suspicious: an address, an escape, a letter that folds to one of ours, or many brackets. */
const mayHide = (line: string): boolean => {
  let brackets = 0;
  for (let index = 0; index < line.length; index += 1) {
    const code = line.charCodeAt(index);
    if (code === AT || code === BACKSLASH || code > LAST_ASCII) return true;
    if (code === BRACE || code === BRACKET) brackets += 1;
  }
  return brackets > MOST_BRACKETS;
};

/**
 * Whether a line of JSON may hold what must not be logged. False for most lines, and cheap: then it need not be parsed again. One
 * expression for all of it would take five times as long, for it would count the brackets from each of them.
 */
export const mayBePersonal = (line: string): boolean => mayHide(line) || SUSPICIOUS.test(line);

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
