import { describe, expect, test } from "bun:test";
import { capsOf } from "./caps.ts";

const key = Buffer.alloc(32, 7);
const settings = { MAIL_CAP_PER_RECIPIENT: 20, MAIL_CAP_PER_DOMAIN: 500 };
const namesOf = (email: string) => capsOf(settings, key, email).map(({ name }) => name);

describe("the caps on mails", () => {
  test("are an hour's, of the mailbox and of the domain", () => {
    expect(capsOf(settings, key, "mai@inbox.example")).toMatchObject([
      { limit: 20, windowMs: 3_600_000, reason: "recipient_cap" },
      { limit: 500, windowMs: 3_600_000, reason: "domain_cap" },
    ]);
  });

  test("are the same for every spelling of a mailbox", () => {
    for (const variant of ["m.a.i@gmail.com", "mai+1@gmail.com", "MAI@googlemail.com"]) {
      expect(namesOf(variant)).toEqual(namesOf("mai@gmail.com"));
    }
    const [mailbox, domain] = namesOf("mai@gmail.com");
    const others = namesOf("other@gmail.com");
    expect(others[0]).not.toBe(mailbox ?? "");
    expect(others[1]).toBe(domain ?? "");
  });

  test("that are off are none", () => {
    const off = { MAIL_CAP_PER_RECIPIENT: 0, MAIL_CAP_PER_DOMAIN: 0 };
    expect(capsOf(off, key, "mai@inbox.example")).toEqual([]);
  });

  test("have names that say nothing without the key", () => {
    const other = capsOf(settings, Buffer.alloc(32, 8), "mai@inbox.example").map(({ name }) => name);
    expect(other).not.toEqual(namesOf("mai@inbox.example"));
    for (const name of other) expect(name).toMatch(/^[\w-]{22}$/);
  });
});
