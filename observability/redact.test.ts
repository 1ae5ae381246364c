import { expect, test } from "bun:test";
import { withoutRecipient } from "./redact.ts";

const RECIPIENT = "john.doe+news@inbox.example";

test.each([
  ["550 5.1.1 <john.doe+news@inbox.example>: unknown", "550 5.1.1 <<address>>: unknown"],
  ["550 5.1.1 No such user john.doe+news here", "550 5.1.1 No such user <address> here"],
  ["550 5.1.1 No such user john.doe here.", "550 5.1.1 No such user <address> here."],
  ["550 no such user JOHN.DOE", "550 no such user <address>"],
  ["550 no such user <John.Doe>", "550 no such user <<address>>"],
  [`550 no such user "john.doe"`, `550 no such user "<address>"`],
  ["550 'john.doe': unknown", "550 '<address>': unknown"],
  ["550 johndoe is unknown", "550 <address> is unknown"],
  ["550 john.doe at inbox.example is unknown", "550 <address> at inbox.example is unknown"],
  ["550 john.doe%inbox.example is unknown", "550 <address>%inbox.example is unknown"],
  ["550 rfc822;john.doe, uid=john.doe; /var/mail/john.doe", "550 rfc822;<address>, uid=<address>; /var/mail/<address>"],
  ["550-5.1.1 no\n550 5.1.1 user john.doe", "550-5.1.1 no\n550 5.1.1 user <address>"],
  ["550 ask postmaster@inbox.example", "550 ask <address>"],
  ["550 johndoes, xjohn.doe and john.doeé are others", "550 johndoes, xjohn.doe and john.doeé are others"],
])("%p is kept as %p", (reply, kept) => {
  expect(withoutRecipient(reply, RECIPIENT)).toBe(kept);
});

test.each([
  // What it means to an operator is kept, whoever has it as a local part.
  ["550@inbox.example", "550 5.1.1 no 550 here", "550 5.1.1 no <address> here"],
  ["5.1.1@inbox.example", "550-5.1.1 5.1.1 is unknown", "550-5.1.1 <address> is unknown"],
  ["a.b@inbox.example", "550 ab, a.b", "550 ab, <address>"],
  ["o'hara$1@inbox.example", "550 O'Hara$1 is unknown", "550 <address> is unknown"],
  ["+@inbox.example", "550 1+1", "550 1+1"],
  ["(.*)@inbox.example", "550 anything", "550 anything"],
  ["", "550 no such user", "550 no such user"],
])("of %p, %p is kept as %p", (recipient, reply, kept) => {
  expect(withoutRecipient(reply, recipient)).toBe(kept);
});
