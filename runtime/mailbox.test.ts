import { expect, test } from "bun:test";
import { canonicalMailbox, mailDomain } from "./mailbox.ts";

test.each([
  ["case", "J.Doe@Inbox.Example", "j.doe@inbox.example"],
  ["space around it", " mai@inbox.example ", "mai@inbox.example"],
  ["a tag", "mai+news@inbox.example", "mai@inbox.example"],
  ["two tags", "mai+a+b@inbox.example", "mai@inbox.example"],
  ["a dot elsewhere", "m.ai@inbox.example", "m.ai@inbox.example"],
  ["a dash elsewhere", "m-ai@inbox.example", "m-ai@inbox.example"],
  ["Gmail: case, dots and tag", "M.A.i+a.b@GMail.com", "mai@gmail.com"],
  ["Gmail: its other domain, with its root", "m.ai@googlemail.com.", "mai@gmail.com"],
  ["Outlook: a tag", "m.ai+x@outlook.com", "m.ai@outlook.com"],
  ["Hotmail is not Outlook", "m.ai@hotmail.com", "m.ai@hotmail.com"],
  ["iCloud: its other domains", "m.ai+x@me.com", "m.ai@icloud.com"],
  ["Proton: dots, dashes, lines, domains", "m.a_i-1+x@pm.me", "mai1@proton.me"],
  ["Yahoo: a dash begins a tag", "mai-shops@yahoo.com", "mai@yahoo.com"],
  ["Yahoo in Singapore", "mai-shops@yahoo.com.sg", "mai@yahoo.com.sg"],
  ["Yahoo: dots stay, domains are apart", "m.ai+x@yahoo.com.vn", "m.ai@yahoo.com.vn"],
  ["Yandex: dots, dashes, domains", "m.ai-1@ya.ru", "mai1@yandex.com"],
  ["Fastmail: a subdomain", "shops@mai.fastmail.com", "mai@fastmail.com"],
  ["Fastmail: a subdomain of another domain", "shops@mai.ml1.net", "mai@ml1.net"],
  ["Fastmail in Britain", "shops@Mai.fastmail.co.uk", "mai@fastmail.co.uk"],
  ["Fastmail: a tag", "mai+shops@fastmail.com", "mai@fastmail.com"],
  ["a subdomain elsewhere", "shops@mai.gmail.com", "shops@mai.gmail.com"],
  ["an international domain", "mai@bücher.example", "mai@xn--bcher-kva.example"],
  ["the same in ASCII", "mai@XN--BCHER-KVA.example", "mai@xn--bcher-kva.example"],
  ["full width", "ｍai@gmail.com", "mai@gmail.com"],
  ["nothing but a tag", "+tag@inbox.example", "+tag@inbox.example"],
  ["nothing but dots", "...@gmail.com", "...@gmail.com"],
  ["a domain that ends alike", "m.ai@notgmail.com", "m.ai@notgmail.com"],
  ["a domain that begins alike", "m.ai@gmail.com.evil.example", "m.ai@gmail.com.evil.example"],
  ["no address", "no address", "@no address"],
])("%s: %s is in %s", (_, address, mailbox) => {
  expect(canonicalMailbox(address)).toBe(mailbox);
  expect(canonicalMailbox(mailbox)).toBe(mailbox);
});

test("a hundred spellings of one mailbox are one", () => {
  const name = "victimname";
  const tagged = Array.from({ length: 60 }, (_, index) => `victim.name+${index}@gmail.com`);
  const dotted = Array.from({ length: 39 }, (_, index) => {
    const letters = [...name].map((letter, at) =>
      at > 0 && ((index + 1) >> (at - 1)) % 2 === 1 ? `.${letter}` : letter,
    );
    return `${letters.join("")}@gmail.com`;
  });
  const spellings = [...tagged, ...dotted, "VictimName@googlemail.com"];
  expect(new Set(spellings).size).toBe(100);
  expect(new Set(spellings.map(canonicalMailbox))).toEqual(new Set([`${name}@gmail.com`]));
});

test.each([
  ["mai@Inbox.Example", "inbox.example"],
  ["m.ai@googlemail.com", "gmail.com"],
  ["shops@mai.fastmail.com", "fastmail.com"],
  ["mai@bücher.example.", "xn--bcher-kva.example"],
])("the domain of %s is %s", (address, domain) => {
  expect(mailDomain(address)).toBe(domain);
});
