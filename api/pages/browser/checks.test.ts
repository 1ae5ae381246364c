import { describe, expect, test } from "bun:test";
import { openCommonPasswords } from "../../passwords/common-passwords.ts";
import { createPasswordRules } from "../../passwords/rules.ts";
import { createNameRules } from "../../signup/names/name-rules.ts";
import { createParseSignup } from "../../signup/schema.ts";
import { durationText } from "../duration.ts";
import { CHECKED_WHILE_TYPING, FIELDS, faultsOf, probablyMeant, rulesMet } from "./checks.ts";

const brandName = "Toblug";
const parse = createParseSignup({
  names: createNameRules({ brandName }),
  passwords: createPasswordRules({ common: openCommonPasswords(), brandName }),
});
const GOOD = { user_name: "Hoa", email: "hoa@example.com", password: "một mật khẩu đủ dài" };

describe("what the page finds while one types is what the server finds", () => {
  test.each([
    {},
    { user_name: "" },
    { user_name: "  " },
    { user_name: "x".repeat(65) },
    { user_name: "a\u202eb" },
    { user_name: "\u200b" },
    { email: "hoa" },
    { email: "hoa@localhost" },
    { email: "a b@example.com" },
    { email: "đặng@example.com" },
    { email: `${"x".repeat(260)}@example.com` },
    { password: "ngắn" },
    { password: "x".repeat(129) },
    { password: "aaaaaaaaaaaaaa" },
    { password: "123456789012345" },
    { password: "hoa@example.com" },
    { password: "toblugtoblug" },
    { password: "m\u1ed9t m\u1eadt kh\u1ea9u", user_name: "Đặng Thị Hoa" },
  ])("%j", (parts) => {
    const typed = { ...GOOD, ...parts };
    const parsed = parse(typed);
    const known: readonly string[] = CHECKED_WHILE_TYPING;
    const ofServer = (parsed.kind === "invalid" ? parsed.faults : []).filter(({ code }) => known.includes(code));
    for (const field of FIELDS) {
      expect(faultsOf(field, typed, brandName)).toEqual(
        ofServer.filter(({ pointer }) => pointer === `#/${field}`).map(({ code }) => code) as never[],
      );
    }
  });
});

test("a rule counts as met once there is something that meets it", () => {
  const met = (password: string) => rulesMet({ ...GOOD, password }, brandName);
  expect(met("")).toEqual({ length: false, password_run: false, password_personal: false });
  expect(met("abc")).toEqual({ length: false, password_run: false, password_personal: true });
  expect(met("hoa@example.com")).toEqual({ length: true, password_run: true, password_personal: false });
  expect(met(GOOD.password)).toEqual({ length: true, password_run: true, password_personal: true });
});

test.each([
  ["hoa@gmial.com", "hoa@gmail.com"],
  ["hoa@gmail.co", "hoa@gmail.com"],
  ["hoa@gmaill.com", "hoa@gmail.com"],
  ["hoa@gnail.com ", "hoa@gmail.com"],
  ["hoa@gmail.com", undefined],
  ["hoa@example.com", undefined],
  ["hoa@mail.com", undefined],
  ["@gmial.com", undefined],
  ["hoa", undefined],
])("%p probably means %p", (typed, meant) => expect(probablyMeant(typed)).toBe(meant));

test.each([
  [-5, "0 ms", "0 ms"],
  [42, "42 ms", "42 ms"],
  [310, "0.3 s", "0,3 giây"],
  [9_999, "9.9 s", "9,9 giây"],
  [59_999, "59 s", "59 giây"],
  [61_000, "1 min", "1 phút"],
  [7_200_000, "2 h", "2 giờ"],
  [200_000_000, "2 d", "2 ngày"],
])("%p ms are %p", (ms, en, vi) => {
  expect([durationText(ms, "en"), durationText(ms, "vi")]).toEqual([en, vi]);
});
