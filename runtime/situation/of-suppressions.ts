import { count, counted } from "../quantity.ts";
import { shellWord } from "../shell-word.ts";
import type { Facts, SuppressedFacts } from "./facts.ts";
import type { Finding } from "./finding.ts";
import { isOwners, retryOfDead } from "./suppression-reasons.ts";
import { nounOf, since, verb } from "./words.ts";

/** Fewer addresses within an hour happen without anybody's fault. */
const MASS = 20;
/** One in ten of the mails of an hour is much: of addresses that people have just typed in, one in fifty or so is wrong. */
const MUCH = 10;

/** People do not err about what they want: nothing is lifted. */
const ofOwners = (sentence: string): Finding => ({
  level: "notice",
  sentence: `${sentence}: their owners want no mail`,
  remedy: "leave them suppressed, and find out who signs up addresses of others, or what people complain of",
  see: "suppressions",
});

const ofReason = ({ reason, count: value, isBound, firstAt }: SuppressedFacts, sent: number, now: Date): Finding => {
  const many = isBound ? `${count(value)} or more addresses` : counted(value, "address", "addresses");
  const when = since(firstAt.toISOString(), now);
  const beside = sent === 0 ? "and no mail was sent" : `beside ${counted(sent, "mail")} sent`;
  const sentence = `${many} ${verb(value, "was", "were")} suppressed (${reason}) ${when}, ${beside} in the last hour`;
  if (isOwners(reason)) return ofOwners(sentence);
  // The whole minute: a mail may be settled before its address is suppressed, or after.
  const from = ` --since ${firstAt.toISOString().slice(0, 16)}Z`;
  const retry = retryOfDead(reason, from);
  const then = retry === undefined ? "" : `; then: ${retry}`;
  return {
    // More than is sent: that is an outage, which looks like so many faulty addresses.
    level: value > sent ? "trouble" : "notice",
    sentence: `${sentence}: the other side may be wrong`,
    remedy: `if so, once it answers rightly: ops suppressions lift --reason ${shellWord(reason)}${from}${then}`,
    see: "suppressions",
  };
};

/**
 * Addresses to which nothing is sent any more: many at once are rather a provider's error than so many people's, unless their owners
 * want no mail.
 */
export const ofSuppressions = ({ suppressed = [], groups, now }: Facts): readonly Finding[] => {
  const sent = groups
    .filter(({ group }) => nounOf(group) === "mail")
    .reduce((sum, { lastHour }) => sum + lastHour.total, 0);
  return suppressed
    .filter(({ count: value }) => value >= MASS && value * MUCH > sent)
    .map((each) => ofReason(each, sent, now));
};
