import { expect, test } from "bun:test";
import { ALERT_GROUPS } from "../../observability/alerts/rules.ts";
import { describe as describeFacts } from "../../runtime/situation/describe.ts";
import type { ConsumerFacts, Facts, GroupFacts } from "../../runtime/situation/facts.ts";

const NOW = new Date("2026-11-28T06:10:00Z");

const consumer: ConsumerFacts = {
  name: "consumer-1",
  silentMs: 900,
  breaker: { state: "closed", since: "2026-11-28T05:00:00Z" },
  pending: 0,
  inFlight: 0,
  waitingParties: 0,
  faults: {},
};

const facts = (group: Partial<GroupFacts>, parts: Partial<Facts> = {}): Facts => ({
  now: NOW,
  postgres: undefined,
  redis: undefined,
  outbox: { rows: 0, oldestMs: 0 },
  clockDifferenceMs: 0,
  groups: [
    {
      group: "welcome-email",
      pausedBy: null,
      pausedAt: null,
      ordered: undefined,
      delayed: { count: 0, isBound: false },
      retrying: [],
      latestDead: undefined,
      strayEntries: 0,
      exists: true,
      unfinished: { count: 0, isBound: false },
      oldestMs: 0,
      held: [],
      dead: 0,
      consumers: [consumer],
      lastHour: { total: 0, medianMs: undefined },
      ...group,
    },
  ],
  ...parts,
});

const waits = { count: 400, isBound: false };
const open = { ...consumer, breaker: { state: "open", since: "2026-11-28T06:05:00Z" } } as const;

/** What each alert shares with the finding of the same facts. `undefined`: no finding is about it, for the reason beside it. */
const TIES: Readonly<Record<string, { readonly words: string; readonly of: Facts } | undefined>> = {
  // Objectives are about the past: a finding says what is wrong now.
  SignupInboxFastBurn: undefined,
  SignupInboxSlowBurn: undefined,
  SignupAcceptFastBurn: undefined,
  SignupAcceptSlowBurn: undefined,
  SignupMailsWait: { words: "the oldest for", of: facts({ unfinished: waits, oldestMs: 400_000 }) },
  // A trend, of which one look knows nothing.
  SignupLagNotReduced: undefined,
  // Redis cannot say how much waits: the ledger says it in every finding.
  SignupLagUnknown: undefined,
  SignupNoConsumer: { words: "No consumer of welcome-email runs", of: facts({ consumers: [], unfinished: waits }) },
  SignupDeadLetters: { words: "dead letters of welcome-email", of: facts({ dead: 3 }) },
  SignupLostRepeatedly: {
    words: "of welcome-email are held (lost_repeatedly)",
    of: facts({ held: [{ reason: "lost_repeatedly", count: 2, firstUntil: null }] }),
  },
  SignupBreakerOpen: { words: "he system that welcome-email works with fails", of: facts({ consumers: [open] }) },
  SignupPartyRefuses: {
    words: "domains refuse or defer every mail of welcome-email; what is for others flows",
    of: facts({ consumers: [{ ...consumer, waitingParties: 2 }] }),
  },
  // It is no group of the configuration; `status` lists it with what to type.
  SignupGroupOrphaned: undefined,
  SignupGroupPaused: { words: "welcome-email is paused", of: facts({ pausedBy: "an operator" }) },
  // What came back long after it was sent.
  SignupBouncesRise: undefined,
  SignupOutboxWaits: {
    words: "waited in the outbox",
    of: facts({}, { outbox: { rows: 2, oldestMs: 400_000 } }),
  },
  // KEDA's own state: no process of ours sees it.
  SignupScalingBlind: undefined,
  // Nobody is there to find anything.
  SignupUnmeasured: undefined,
};

const alerts = ALERT_GROUPS.flatMap(({ rules }) => rules);

test("each alert is tied to a finding, or is known to have none", () => {
  expect(Object.keys(TIES).toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
});

test.each(alerts.filter(({ alert }) => TIES[alert] !== undefined).map((each) => [each.alert, each] as const))(
  "%s says what the console says",
  (name, { annotations }) => {
    const tie = TIES[name];
    const shown = annotations.summary.replaceAll(/\{\{ \$labels\.\w+ \}\}/g, "welcome-email");
    const sentences = describeFacts(tie?.of ?? facts({})).map(({ sentence }) => sentence);
    expect(shown).toContain(tie?.words ?? "?");
    expect(sentences.filter((sentence) => sentence.includes(tie?.words ?? "?"))).toHaveLength(1);
  },
);
