import { refusesEvent } from "../webhook/statuses.ts";

/**
 * What the reasons mean that deliveries have, for operators: what happened, and what becomes of them by itself. A test finds every
 * reason of the code here.
 */
const MEANINGS: Readonly<Record<string, string>> = {
  // Of the other system; they use up no attempt.
  connection_refused: "the other system refused the connection; tried again until it answers",
  connection_failed: "no connection to the other system; tried again until there is one",
  connection_lost: "the connection broke before anything took effect; tried again",
  connection_limit: "the mail server grants no further connection at present; tried again soon",
  greeting_timeout: "the mail server took the connection and did not greet in time; tried again",
  timeout: "the other system did not answer in time; tried again",
  deadline: "the attempt did not end within its time, and nothing took effect; tried again",
  slow: "the dialogue with the mail server was slow; it comes back within seconds, with more time",
  dns: "the mail server's name has no address at present; tried again",
  host_not_found: "the receiver's name has no address at present; tried again",
  tls: "no TLS connection, or a wrong certificate; tried again, and somebody has to mend it",
  tls_failed: "no TLS connection, or a wrong certificate; tried again, and somebody has to mend it",
  auth: "the mail server refuses our login; tried again, and somebody has to mend MAIL_USERNAME or MAIL_PASSWORD",
  protocol: "the mail server answered what is no SMTP; tried again",
  service_unavailable: "the mail server is closing or overloaded (421), or takes no mail for now; tried again",
  system_status: "the mail server has a fault of its own (x.3.x); tried again",
  sender_refused:
    "the mail server refuses our address as the sender; tried again, and somebody has to mend MAIL_FROM or the account",
  client_refused: "the mail server greets nobody from our address; tried again, and somebody has to ask its operator",
  too_fast: "the mail server says that we send too fast; sent at the pace that it grants",
  quota_used_up:
    "the mail server says that our quota of a day or longer is used up; asked every two minutes, and sent when it has room",
  too_many_recipients: "the mail server takes no further recipient at present (4.5.3); tried again",
  account_refused:
    "the mail server refused mail for several domains: rather our account than the recipients; tried again",
  party_refuses:
    "its domain refused every mail; tried again by itself after half an hour to 12 hours, or when you release it",
  party_waits: "its domain refused or deferred every mail; it waits until one of them is accepted",
  not_a_probe: "the breaker is open, and another delivery is the probe; tried when that succeeds",
  retry_after: "the receiver asked to wait (Retry-After); sent then",
  receiver_gone: "the receiver answered 410: it wants no more, and its group is paused until you enable it",
  redirect_refused: "the receiver answered with a redirect, which is not followed; tried again",
  address_refused: "the receiver's address is private, or not allowed; tried again, and somebody has to mend its URL",
  account_locked: "another transaction has locked the account; tried again",
  // Of this recipient or event.
  greylisted: "the mail server asks to come back later, as it does with senders that it does not know; tried again",
  try_later: "the mail server deferred this mail; tried again",
  mailbox_full: "the mailbox is full; tried again over days",
  no_such_address: "the mail server said that there is no such address (5.1.x), and the address was suppressed",
  policy: "the mail server refused this mail by policy (5.7.x)",
  rejected: "the mail server refused this mail",
  invalid_address: "the address cannot be written in a message",
  address_needs_smtputf8: "the address has letters that the mail server does not take (SMTPUTF8)",
  address_suppressed: "nothing is sent to this address; lift its suppression first",
  address_confirmed: "the address is confirmed, and the mail would only have asked for that",
  no_such_user: "the user was erased, or never was",
  no_such_transaction: "there is no such transaction",
  no_such_event: "what the event is about is not there any more",
  internal_event: "the event is not for other systems",
  recipient_cap:
    "the mailbox has had its share of mails of this hour (MAIL_CAP_PER_RECIPIENT); sent when there is room",
  domain_cap: "the domain has had its share of mails of this hour (MAIL_CAP_PER_DOMAIN); sent when there is room",
  // Of an attempt that may have taken effect.
  uncertain: "it may have taken effect before its consumer died; check before you release it",
  connection_lost_after_data: "the connection broke after the mail was handed over: it may have been sent",
  deadline_after_data: "no answer in time after the mail was handed over: it may have been sent",
  unclear_answer: "the answer to the mail was unclear: it may have been sent",
  // Of an entry, or of the code.
  retries_exhausted: "every attempt was in vain (RETRY_MAX); the last words say why",
  expired: "it was not done within its time",
  malformed: "its data cannot be read",
  unknown_version: "consumers do not know this version of its type; retry it when they do",
  poison: "consumers died of it several times",
  handler_error: "the code of the group failed; its log says how",
  lost_repeatedly: "Redis lost its entry ten times; release it when that is mended",
  // Of operators.
  held_by_operator: "an operator holds it until somebody releases it",
  dropped_by_operator: "an operator discarded it",
  group_dropped: "its group was dropped",
  // Of steps on the way.
  released: "released by an operator",
  never_begun: "its consumer lost its claim before anything took effect; it counts as no attempt",
  stopped: "its consumer stopped before anything took effect; a peer goes on",
};

/** What a reason means; undefined: a reason of a group of your own, or none. */
export const meaningOf = (reason: string): string | undefined => {
  const status = /^status_(\d{3})$/.exec(reason)?.[1];
  if (status !== undefined) {
    return `the receiver answered ${status}; ${refusesEvent(Number(status)) ? "it refuses this event" : "tried again, until it expires"}`;
  }
  if (reason.startsWith("database_")) return "the database did not do it; tried again";
  return Object.hasOwn(MEANINGS, reason) ? MEANINGS[reason] : undefined;
};

/** What is known to be meant by each of the reasons, once. */
export const meaningsOf = (reasons: Iterable<string | null>): readonly (readonly [reason: string, meaning: string])[] =>
  [...new Set(reasons)].flatMap((reason): (readonly [string, string])[] => {
    const meaning = reason === null ? undefined : meaningOf(reason);
    return reason === null || meaning === undefined ? [] : [[reason, meaning]];
  });
