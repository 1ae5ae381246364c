import { expect, test } from "bun:test";
import { parseEmailAddress } from "./email-address.ts";

test.each([
  ["hoa@example.com", "hoa@example.com"],
  ["  hoa@example.com\r\n", "hoa@example.com"],
  ["Hoa.Dang+tag@EXAMPLE.Com", "Hoa.Dang+tag@example.com"],
  ["o'brien_{x}~#$&*/=?^`|-@example.com", "o'brien_{x}~#$&*/=?^`|-@example.com"],
  ["hoa@bücher.example", "hoa@xn--bcher-kva.example"],
  ["hoa@ĐẶNG.VN", "hoa@xn--ng-pma4741a.vn"],
  ["hoa@XN--BCHER-KVA.example", "hoa@xn--bcher-kva.example"],
  ["hoa@a.b.c.d.example", "hoa@a.b.c.d.example"],
  [`${"l".repeat(64)}@example.com`, `${"l".repeat(64)}@example.com`],
])("%p is parsed as %p", (typed, address) => {
  expect(parseEmailAddress(typed)).toEqual({ address });
});

const label = "d".repeat(63);

test.each([
  ["", "email_invalid"],
  ["hoa", "email_invalid"],
  ["@example.com", "email_invalid"],
  ["hoa@", "email_invalid"],
  ["hoa@localhost", "email_invalid"],
  ["hoa@127.0.0.1", "email_invalid"],
  ["hoa@１２７.0.0.1", "email_invalid"],
  ["hoa@[127.0.0.1]", "email_invalid"],
  ["hoa@example..com", "email_invalid"],
  ["hoa@-example.com", "email_invalid"],
  ["hoa@exa_mple.com", "email_invalid"],
  ["hoa@exa%6dple.com", "email_invalid"],
  ["hoa@bücher.example/x", "email_invalid"],
  ["hoa@xn--zzzzzz.com", "email_invalid"],
  [`hoa@${"d".repeat(64)}.com`, "email_invalid"],
  [".hoa@example.com", "email_invalid"],
  ["hoa.@example.com", "email_invalid"],
  ["ho..a@example.com", "email_invalid"],
  ["a@example.com,b@example.com", "email_invalid"],
  ["a@example.com, é@example.com", "email_invalid"],
  ["a@example.com b@example.com", "email_invalid"],
  ["Hoa <hoa@example.com>", "email_invalid"],
  ["hoa(comment)@example.com", "email_invalid"],
  ['"hoa dang"@example.com', "email_invalid"],
  ["hoa@example.com\r\nBcc: eve@example.net", "email_invalid"],
  ["hoa\u0000@example.com", "email_invalid"],
  ["hoa%example.net@example.com", "email_invalid"],
  ["example.net!hoa@example.com", "email_invalid"],
  [`${"l".repeat(65)}@example.com`, "email_invalid"],
  ["hòa@example.com", "email_local_part_not_ascii"],
  [`${"l".repeat(64)}@${label}.${label}.${label}.com`, "email_too_long"],
  // Short as typed, but too long in ASCII.
  [`hoa@${Array.from({ length: 16 }, () => "đặngđặng").join(".")}.vn`, "email_too_long"],
] as const)("%p is rejected: %s", (typed, fault) => {
  expect(parseEmailAddress(typed)).toEqual({ fault });
});
