import { expect, test } from "bun:test";
import { openCommonPasswords } from "./common-passwords.ts";
import { createPasswordRules } from "./rules.ts";

const common = openCommonPasswords();
const rules = createPasswordRules({ common, brandName: "Toblug" });
const faultsOf = (password: string) => rules(password, { email: "hoa.dang@example.com", userName: "Đặng Thị Hoa" });

test.each([
  ["correct horse battery staple"],
  ["a-long-password-123"],
  ["mật khẩu rất dài"],
  ["một mật khẩu dài và riêng"],
  ["👍🎉🚀🌵🍜🐍🎈🎧🧩🪴🛶🧭"],
  ["hoa.dang@example.com and more"],
  ["toblug is my favourite"],
  ["x".repeat(128)],
  ["S3cure-Passw0rd-42"],
])("the password %p is accepted", (password) => {
  expect(faultsOf(password)).toEqual([]);
});

test.each([
  ["password1234"],
  ["PASSWORD1234"],
  ["ｐａｓｓｗｏｒｄ１２３４"],
  ["administrator"],
  ["qwertyuiop12"],
  ["passwordpassword"],
  ["1q2w3e4r5t6y"],
  ["iloveyou1234"],
])("the password %p is too common", (password) => {
  expect(faultsOf(password)).toEqual(["password_common"]);
});

test.each([
  [" ".repeat(12)],
  [" \t\u3000".repeat(4)],
  ["x".repeat(12)],
  ["👍".repeat(12)],
  ["123456789012"],
  ["098765432109"],
  ["abcdefghijkl"],
  ["ZYXWVUTSRQPO"],
  ["asdfghjklzxc"],
  ["yzabcdefghijk"],
])("the password %p is a mere run", (password) => {
  expect(faultsOf(password)).toEqual(["password_run"]);
});

test.each([
  ["hoa.dang@example.com"],
  ["HOA.DANG@EXAMPLE.COM"],
  ["hoa.danghoa.dang"],
  ["hoadanghoadang"],
  ["example.com.example.com"],
  ["Đặng Thị Hoa"],
  ["đặng-thị-hoa"],
  ["toblugtoblug"],
  ["Toblug Toblug!"],
])("the password %p follows from its owner or the service", (password) => {
  expect(faultsOf(password)).toEqual(["password_personal"]);
});

test("few other passwords are taken for a common one", () => {
  const others = Array.from({ length: 30_000 }, (_, index) => `no common password ${index}`);
  expect(others.filter((password) => common.has(password)).length).toBeLessThan(10);
});
