import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
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
  ["correct!horse9"],
  ["monkey82619450271934"],
  ["one monkey, 12 summers"],
])("the password %p is accepted", (password) => {
  expect(faultsOf(password)).toEqual([]);
});

test.each([
  ["password1234"],
  ["PASSWORD1234"],
  ["ｐａｓｓｗｏｒｄ１２３４"],
  ["administrator"],
  ["passwordpassword"],
  ["P@ssw0rd1234!"],
  ["p4$$w0rdP4$$w0rd"],
  ["Welcome12345!"],
  ["Summer2024!!"],
  ["admin@123456"],
  ["!!Letme1n2024"],
  ["monkeymonkeymonkey"],
  ["1234567890ab"],
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
  ["abababababab"],
  ["abcdabcdabcda"],
  ["12!12!12!12!"],
  ["aaaaaaaaaaaa1"],
  ["qwertyuiop12"],
  ["1234567890!!"],
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
  ["Toblug2024!!!"],
  ["hoa.dang1234"],
  ["hoadang12345"],
])("the password %p follows from its owner or the service", (password) => {
  expect(faultsOf(password)).toEqual(["password_personal"]);
});

test("no strong password is taken for a common one, a run or its owner's", () => {
  const signs = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join("");
  const others = Array.from({ length: 20_000 }, (_, index) => {
    const digest = createHash("sha256").update(`strong ${index}`).digest();
    return [...digest.subarray(0, 12)].map((byte) => signs.charAt(byte % signs.length)).join("");
  });
  expect(others.filter((password) => faultsOf(password).length > 0)).toEqual([]);
});
