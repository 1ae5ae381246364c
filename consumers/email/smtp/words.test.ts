import { expect, test } from "bun:test";
import type { SmtpFailure } from "./failure.ts";
import { createWords } from "./words.ts";

const failure = (reply: string | undefined): SmtpFailure => ({
  ...{ code: "EPROTOCOL", command: "CONN", cause: undefined, bodyStarted: false },
  reply,
  responseCode: reply === undefined ? undefined : Number(reply.slice(0, 3)),
});
const tooMany = failure("421 4.7.0 too many connections");
const deferred = failure("421 4.7.0 [TSS04] Messages from 192.0.2.7 temporarily deferred");
const closed = failure(undefined);
const tooFast = failure("451 4.7.1 rate limit exceeded");

test("words of a limit on connections are kept until one is refused for another reason, whose words are shown instead", () => {
  const words = createWords();
  words.refused(tooMany, "");
  expect([words.ofLimit(true), words.ofRefusal()]).toEqual([tooMany.reply, undefined]);
  words.refused(deferred, "");
  expect([words.ofLimit(true), words.ofRefusal()]).toEqual([undefined, deferred.reply]);
  words.refused(closed, "");
  expect([words.ofLimit(true), words.ofRefusal()]).toEqual([undefined, undefined]);
  words.refused(deferred, "");
  words.works();
  expect(words.ofRefusal()).toBeUndefined();
});

test("words of a rate outlive a time without connections, which they do not explain", () => {
  const words = createWords();
  words.limited(tooFast, "", "mails");
  words.refused(closed, "");
  expect(words.ofLimit(true)).toBeUndefined();
  expect(words.ofLimit(false)).toBe(tooFast.reply);
});
