import { expect, spyOn, test } from "bun:test";
import fc from "fast-check";
import { aBody } from "../app-for-tests.ts";
import { parseBy } from "../faults.ts";
import { openCommonPasswords } from "../passwords/common-passwords.ts";
import { createPasswordRules } from "../passwords/rules.ts";
import { createNameRules } from "./names/name-rules.ts";
import { createParseSignup, parseBody, signupSchema } from "./schema.ts";

const brandName = "Toblug";
const parseSignup = createParseSignup({
  names: createNameRules({ brandName }),
  passwords: createPasswordRules({ common: openCommonPasswords(), brandName }),
});

const faultsOf = (body: unknown): string[] => {
  const parsed = parseSignup(body);
  return parsed.kind === "valid" ? [] : parsed.faults.map(({ pointer, code }) => `${pointer} ${code}`);
};

const inputOf = (body: unknown) => {
  const parsed = parseSignup(body);
  if (parsed.kind === "invalid") throw new Error(JSON.stringify(parsed.faults));
  return parsed.input;
};

test("a body is normalised: NFC, trimmed, locale vi; unknown fields are ignored", () => {
  const given = {
    user_name: "  Bô\u0301  ",
    email: " Bo@EXAMPLE.com ",
    password: "mâ\u0323t khâ\u0309u dài",
    admin: true,
  };
  expect(inputOf(given)).toEqual({
    user_name: "Bố",
    email: "Bo@example.com",
    password: "mật khẩu dài",
    locale: "vi",
  });
});

test("markup, emoji, joiners and other scripts are valid names", () => {
  for (const user_name of ['<b>Bố</b> "x"', "👩‍👩‍👧", "नमस्ते", "محمد", "x".repeat(64), "👍".repeat(64), "Иван Smith"]) {
    expect(inputOf(aBody({ user_name })).user_name).toBe(user_name);
  }
});

test.each([
  ["", "user_name_empty"],
  [" \t\r\n ", "user_name_empty"],
  ["x".repeat(65), "user_name_too_long"],
  ["👍".repeat(65), "user_name_too_long"],
  ["a\u0000b", "user_name_control_characters"],
  ["a\nb", "user_name_control_characters"],
  ["a\u0085b", "user_name_control_characters"],
  ["a\u2028b", "user_name_control_characters"],
  ["a\u202eb", "user_name_control_characters"],
  ["a\u2066b", "user_name_control_characters"],
  ["a\u200eb", "user_name_control_characters"],
  ["a\u061cb", "user_name_control_characters"],
  ["\u200b\u200d", "user_name_invisible"],
  ["\u3164", "user_name_invisible"],
  ["\u2800\u2800", "user_name_invisible"],
  ["a\ud800", "not_well_formed"],
])("the user name %p is rejected: %s", (user_name, code) => {
  expect(faultsOf(aBody({ user_name }))).toEqual([`#/user_name ${code}`]);
});

test("a password has 12 to 128 code points after NFC", () => {
  expect(faultsOf(aBody({ password: "👍".repeat(11) }))).toEqual(["#/password password_too_short"]);
  expect(faultsOf(aBody({ password: "e\u0301".repeat(11) }))).toEqual(["#/password password_too_short"]);
  expect(faultsOf(aBody({ password: "👍🎉🚀🌵🍜🐍".repeat(2) }))).toEqual([]);
  expect(faultsOf(aBody({ password: "e\u0301".repeat(128) }))).toEqual([]);
  expect(faultsOf(aBody({ password: "x".repeat(129) }))).toEqual(["#/password password_too_long"]);
  expect(faultsOf(aBody({ password: `${"x".repeat(12)}\udc00` }))).toEqual(["#/password not_well_formed"]);
});

test("what is too long however it is composed is not composed: that takes a time that grows with the square of its length", () => {
  // The longest that is valid: each code point of four.
  const composedOfFour = "\u1f82";
  const WORDS = "correct horse battery staple";
  const apart = composedOfFour.normalize("NFD");
  expect([...apart]).toHaveLength(4);
  const longest = inputOf(aBody({ user_name: ` ${apart.repeat(64)} `, password: `${apart.repeat(100)}${WORDS}` }));
  expect([longest.user_name, longest.password]).toEqual([
    composedOfFour.repeat(64),
    `${composedOfFour.repeat(100)}${WORDS}`,
  ]);
  const normalize = spyOn(String.prototype, "normalize");
  const marks = `a${"\u0301\u0316".repeat(3_000)}`;
  const faults = faultsOf(aBody({ user_name: marks, password: marks }));
  const lengths = normalize.mock.contexts.map((text) => String(text).length);
  normalize.mockRestore();
  expect(faults).toEqual(["#/user_name user_name_too_long", "#/password password_too_long"]);
  expect(Math.max(0, ...lengths)).toBeLessThanOrEqual(512);
});

test("no code point is composed of more than four", () => {
  let most = 0;
  for (let code = 0; code <= 0x1_ffff; code += 1) {
    const character = String.fromCodePoint(code);
    most = Math.max(most, [...character.normalize("NFD")].length);
  }
  expect(most).toBe(4);
});

test("all faults of a body are reported at once", () => {
  expect(faultsOf({ user_name: 7, email: "no", locale: "fr" })).toEqual([
    "#/user_name not_text",
    "#/email email_invalid",
    "#/password required",
    "#/locale locale_unknown",
  ]);
  expect(faultsOf(aBody({ user_name: `${"x".repeat(65)}\n${"y"}` }))).toEqual([
    "#/user_name user_name_too_long",
    "#/user_name user_name_control_characters",
  ]);
});

test("what deceives or is guessed is reported with the other faults", () => {
  expect(faultsOf({ user_name: "аdmin", email: "no", password: "password1234" })).toEqual([
    "#/email email_invalid",
    "#/user_name user_name_reserved",
    "#/password password_common",
  ]);
  expect(faultsOf(aBody({ user_name: "pаypal" }))).toEqual(["#/user_name user_name_mixed_scripts"]);
  expect(faultsOf(aBody({ user_name: "ad\u200bmin" }))).toEqual(["#/user_name user_name_hidden_characters"]);
  expect(faultsOf({ user_name: "Hoa Dang", email: "hoa@example.com", password: "hoa@example.com" })).toEqual([
    "#/password password_personal",
  ]);
});

test.each([[[]], ["text"], [null], [7], [undefined]])("%p is not an object", (body) => {
  expect(faultsOf(body)).toEqual(["# not_an_object"]);
});

test("inherited fields are not read as the body's own", () => {
  expect(
    faultsOf(JSON.parse('{"__proto__":{"user_name":"x","email":"x@example.com","password":"xxxxxxxxxxxx"}}')),
  ).toEqual(["#/user_name required", "#/email required", "#/password required"]);
});

const typed = (...likely: readonly string[]) =>
  fc.oneof(
    { weight: 18, arbitrary: fc.constantFrom(...likely) },
    { weight: 2, arbitrary: fc.string({ unit: "binary" }) },
    fc.jsonValue({ maxDepth: 1 }),
  );

test("a faultless body is read without the schema, and no other: the schema reads it alike", () => {
  const fields = {
    user_name: typed("Hoa", "Đặng Thị Hoa", " Bô\u0301 ", "", "a\u202eb", "x".repeat(65), "\ud800"),
    email: typed("Hoa@BÜCHER.example", "hoa@example.com", "hoa", "hoa@localhost"),
    password: typed("mâ\u0323t khâ\u0309u dài", "one of twelve", "short", "👍".repeat(6), "x".repeat(129)),
    locale: typed("vi", "en", "fr"),
    further: fc.jsonValue({ maxDepth: 1 }),
  };
  const body = fc.oneof(
    { weight: 9, arbitrary: fc.record(fields, { requiredKeys: ["user_name", "email", "password"] }) },
    fc.jsonValue(),
  );
  let valid = 0;
  fc.assert(
    fc.property(body, (each) => {
      const parsed = parseBody(each);
      if (parsed.kind === "valid") valid += 1;
      expect(parsed).toEqual(parseBy(signupSchema, each));
    }),
    { numRuns: 1_000, seed: 57 },
  );
  expect(valid).toBeGreaterThan(30);
});
