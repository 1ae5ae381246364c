import { count, counted, duration } from "./quantity.ts";

/** What is known of one consumer of a group; see `ConsumerReport`. */
export interface ConsumerFacts {
  readonly name: string;
  /** Since its last sign of life. */
  readonly silentMs: number;
  readonly inFlight: number;
  readonly breaker: {
    readonly state: "closed" | "open" | "recovering";
    /** ISO 8601, UTC. */
    readonly since: string;
    readonly reason?: string | undefined;
    readonly words?: string | undefined;
    readonly probeInMs?: number | undefined;
  };
  /** The other system, for people: `mail server smtp.example:587`. */
  readonly system?: string | undefined;
  readonly granted?: { readonly allowed: number; readonly words?: string | undefined } | undefined;
  readonly ratePerSecond?: number | undefined;
  /** Parties that refuse or defer everything, and so wait. */
  readonly waitingParties: number;
  /** What keeps it from its work, and since when. */
  readonly faults: Readonly<Record<string, string>>;
}

/** How much waits: exactly, or at least so much. */
export interface Waiting {
  readonly count: number;
  readonly isBound: boolean;
}

/** Deliveries that are held for a reason. */
export interface HeldFacts {
  readonly reason: string;
  readonly count: number;
  /** When the first of them is released by itself; null: they wait for an operator. */
  readonly firstUntil: Date | null;
}

/** What is known of one group. */
export interface GroupFacts {
  readonly group: string;
  /** null: the group is not paused; else why, or "an operator". */
  readonly pausedBy: string | null;
  /** Both of its streams exist. */
  readonly exists: boolean;
  /** Unfinished deliveries that are not held and do not wait for the group's delay, up to a bound; undefined: not asked. */
  readonly unfinished: Waiting | undefined;
  /** Age of the oldest unread or pending entry. */
  readonly oldestMs: number;
  /** In the retry set, not due yet. */
  readonly waitingRetries: number;
  /** Held deliveries, by reason. */
  readonly held: readonly HeldFacts[];
  readonly dead: number;
  readonly consumers: readonly ConsumerFacts[];
  /** Finished in the last hour. */
  readonly lastHour: { readonly total: number; readonly medianMs: number | undefined };
}

/** A store: what keeps it from its work, in a few words; undefined: it works. */
export type StoreFault = string | undefined;

/** What is known of the whole system. */
export interface Facts {
  readonly now: Date;
  readonly postgres: StoreFault;
  readonly redis: StoreFault;
  readonly outbox: { readonly rows: number; readonly oldestMs: number };
  /** Redis' clock minus Postgres'. */
  readonly clockDifferenceMs: number;
  readonly groups: readonly GroupFacts[];
}

/** trouble: work does not flow, or will not soon; notice: it flows, and somebody should look; well: neither. */
export type Level = "trouble" | "notice" | "well";

/** One thing to say about the system. */
export interface Finding {
  readonly level: Level;
  /** The group that it is about; undefined: the whole. */
  readonly group?: string;
  readonly sentence: string;
  /** What to do about it; undefined: it heals by itself, or there is nothing to do. */
  readonly remedy?: string;
}

/** A consumer that has been silent for so long is dead, or cannot reach Redis. It gives a sign every 3 s. */
const SILENT_MS = 15_000;
/** Work that is older than this is late, if nothing else explains it. */
const LATE_MS = 30_000;
const OUTBOX_LATE_MS = 30_000;
const CLOCK_MS = 2_000;

const NOUNS: readonly (readonly [pattern: RegExp, noun: string])[] = [
  [/-email$/, "mail"],
  [/^webhook-/, "webhook"],
  [/^payments$/, "payment"],
];

/** What a group's pieces of work are called: `mail`. */
const nounOf = (group: string): string => NOUNS.find(([pattern]) => pattern.test(group))?.[1] ?? "event";

/** `12 mails`, `10,000 or more mails`. */
const pieces = (group: string, { count: value, isBound }: Waiting): string => {
  const noun = nounOf(group);
  return isBound ? `${count(value)} or more ${noun}s` : counted(value, noun);
};

const verb = (value: number, one: string, many: string): string => (value === 1 ? one : many);

/** `; 12 mails wait, none is lost`. */
const waitingSafely = ({ group, unfinished }: GroupFacts): string => {
  if (unfinished === undefined) return "";
  if (unfinished.count === 0) return "; nothing waits";
  const all = pieces(group, unfinished);
  return unfinished.count === 1 ? `; ${all} waits, it is not lost` : `; ${all} wait, none is lost`;
};

const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `06:05 UTC`, with the date if it is another day. */
const since = (at: string, now: Date): string => {
  const [day = "", time = ""] = at.split("T");
  const isToday = now.toISOString().startsWith(day);
  return `since ${isToday ? "" : `${day} `}${time.slice(0, 5)} UTC`;
};

/** What a system does that fails for a reason; reasons of mail and of webhooks. */
const DOES: Readonly<Record<string, string>> = {
  connection_refused: "refuses connections",
  connection_failed: "cannot be reached",
  connection_lost: "drops the connection",
  connection_limit: "grants no connection",
  dns: "is not found by its name (DNS)",
  tls: "offers no TLS that is trusted",
  auth: "refuses the login",
  greeting_timeout: "accepts connections and says nothing",
  timeout: "does not answer in time",
  deadline: "does not answer in time",
  service_unavailable: "says that it is unavailable",
  system_status: "says that it is out of order",
  sender_refused: "refuses the sender's address",
  account_refused: "refuses everything that we send",
  protocol: "answers what nobody understands",
};

const doing = (reason: string | undefined): string =>
  reason === undefined ? "fails" : (DOES[reason] ?? `fails (${reason})`);

const quoted = (words: string | undefined): string => (words === undefined ? "" : ` (“${words}”)`);

const isLiving = ({ silentMs }: ConsumerFacts): boolean => silentMs < SILENT_MS;

const ofStores = ({ postgres, redis, outbox }: Facts): readonly Finding[] => [
  ...(postgres === undefined
    ? []
    : [
        {
          level: "trouble" as const,
          sentence: `PostgreSQL ${postgres}: signups are refused, and what was accepted waits; none of it is lost`,
          remedy: "ops doctor",
        },
      ]),
  ...(redis === undefined
    ? []
    : [
        {
          level: "trouble" as const,
          sentence: `Redis ${redis}: signups succeed, and their events wait in the outbox${outbox.rows === 0 ? "" : ` (${count(outbox.rows)})`}; none is lost`,
          remedy: "ops doctor",
        },
      ]),
];

/** The breaker of a system that several consumers use: the longest open one stands for all. */
const ofBreakers = (group: GroupFacts, now: Date): readonly Finding[] => {
  const living = group.consumers.filter(isLiving);
  const open = living
    .filter(({ breaker }) => breaker.state === "open")
    .sort((left, right) => left.breaker.since.localeCompare(right.breaker.since));
  const [first] = open;
  if (first === undefined) return [];
  const { breaker, system = `the system that ${group.group} works with` } = first;
  const probes = open.flatMap(({ breaker: { probeInMs } }) => probeInMs ?? []);
  const next = probes.length === 0 ? "" : `; next probe in ${duration(Math.ceil(Math.min(...probes) / 1_000) * 1_000)}`;
  const who = open.length === living.length ? "" : ` for ${open.length} of ${living.length} consumers`;
  const what = `${upper(system)} ${doing(breaker.reason)}${quoted(breaker.words)} ${since(breaker.since, now)}${who}`;
  return [
    { level: "trouble", group: group.group, sentence: `${what}${waitingSafely(group)}${next}`, remedy: "ops doctor" },
  ];
};

const ofConsumers = (group: GroupFacts): readonly Finding[] => {
  const { group: name, consumers, unfinished } = group;
  const living = consumers.filter(isLiving);
  const start = `start one: bun run consumer --group ${name}`;
  if (living.length === 0 && unfinished !== undefined && unfinished.count > 0 && group.pausedBy === null) {
    const silent = consumers.toSorted((left, right) => left.silentMs - right.silentMs)[0];
    const last = silent === undefined ? "" : ` (the last one fell silent ${duration(silent.silentMs)} ago)`;
    const sentence = `No consumer of ${name} runs${last}${waitingSafely(group)}`;
    return [{ level: "trouble", group: name, sentence, remedy: start }];
  }
  const stuck = living.filter(({ faults }) => Object.keys(faults).length > 0);
  const [first] = stuck;
  if (first === undefined) return [];
  const [fault] = Object.entries(first.faults).map(([what, why]) => `${what}: ${why}`);
  const others = stuck.length === 1 ? "" : `, and ${counted(stuck.length - 1, "other consumer")}`;
  return [
    {
      level: "trouble",
      group: name,
      sentence: `${first.name} of ${name}${others} cannot do its work (${fault})${waitingSafely(group)}`,
      remedy: "ops doctor",
    },
  ];
};

const ofPause = (group: GroupFacts): readonly Finding[] =>
  group.pausedBy === null
    ? []
    : [
        {
          level: "notice",
          group: group.group,
          sentence: `${group.group} is paused by ${group.pausedBy}${waitingSafely(group)}`,
          remedy: `ops resume ${group.group}`,
        },
      ];

/** Late work that no fault explains: it is limited, or there is more than is done. */
const ofBacklog = (group: GroupFacts): readonly Finding[] => {
  const living = group.consumers.filter(isLiving);
  const { group: name, oldestMs, unfinished } = group;
  const isExplained =
    group.pausedBy !== null || living.length === 0 || living.some(({ breaker }) => breaker.state === "open");
  if (oldestMs < LATE_MS || unfinished === undefined || unfinished.count === 0 || isExplained) return [];
  const value = unfinished.count;
  const waits = `${pieces(name, unfinished)} ${verb(value, "waits", "wait")}, the oldest for ${duration(oldestMs)}`;
  const rates = living.flatMap(({ ratePerSecond }) => ratePerSecond ?? []);
  const rate = rates.length === 0 ? undefined : Math.min(...rates);
  const limited = living.find(({ granted }) => granted !== undefined);
  if (rate !== undefined) {
    const left = unfinished.isBound ? "" : `: about ${duration((value / rate) * 1_000)}`;
    const sentence = `${waits}; the rate allows ${rate.toFixed(rate < 10 ? 1 : 0)} a second${left}`;
    return [{ level: "notice", group: name, sentence }];
  }
  if (limited?.granted !== undefined) {
    const { system = "the other system", granted } = limited;
    const sentence = `${waits}; ${system} grants each consumer ${count(granted.allowed)} at a time${quoted(granted.words)}`;
    return [{ level: "notice", group: name, sentence }];
  }
  const sentence = `${waits}; ${counted(living.length, "consumer works", "consumers work")} on it`;
  return [{ level: "notice", group: name, sentence, remedy: "run more consumers, if it grows" }];
};

const untilWhen = (firstUntil: Date | null, now: Date): string =>
  firstUntil === null
    ? "until somebody decides"
    : `for a while, the first for ${duration(Math.max(0, firstUntil.getTime() - now.getTime()))}`;

const ofRest = (group: GroupFacts, now: Date): readonly Finding[] => {
  const { group: name, held, dead } = group;
  const noun = nounOf(name);
  const parties = Math.max(0, ...group.consumers.filter(isLiving).map(({ waitingParties }) => waitingParties));
  return [
    ...(group.exists
      ? []
      : [
          {
            level: "trouble" as const,
            group: name,
            sentence: `The group ${name} is missing in Redis${waitingSafely(group)}`,
            remedy: "start the api: it makes missing groups within seconds",
          },
        ]),
    ...held.map(({ reason, count: value, firstUntil }) => ({
      level: "notice" as const,
      group: name,
      sentence: `${counted(value, noun)} of ${name} ${verb(value, "is", "are")} held (${reason}) ${untilWhen(firstUntil, now)}`,
      remedy: `ops held list --group ${name}`,
    })),
    ...(dead === 0
      ? []
      : [
          {
            level: "notice" as const,
            group: name,
            sentence: `${counted(dead, "dead letter")} of ${name}`,
            remedy: `ops dead list --group ${name}`,
          },
        ]),
    ...(parties === 0
      ? []
      : [
          {
            level: "notice" as const,
            group: name,
            sentence: `${counted(parties, "domain refuses or defers", "domains refuse or defer")} every ${noun} of ${name}; what is for others flows`,
          },
        ]),
  ];
};

const ofOutbox = ({ outbox, redis, now }: Facts): readonly Finding[] =>
  redis !== undefined || outbox.rows === 0 || outbox.oldestMs < OUTBOX_LATE_MS
    ? []
    : [
        {
          level: "trouble",
          sentence: `Nobody publishes: ${counted(outbox.rows, "event has", "events have")} waited in the outbox ${since(new Date(now.getTime() - outbox.oldestMs).toISOString(), now)}`,
          remedy: "the api publishes them: is one running, and does it reach Redis?",
        },
      ];

const ofClocks = ({ clockDifferenceMs }: Facts): readonly Finding[] =>
  Math.abs(clockDifferenceMs) <= CLOCK_MS
    ? []
    : [
        {
          level: "notice",
          sentence: `The clocks of Redis and PostgreSQL differ by ${duration(Math.abs(clockDifferenceMs))}`,
          remedy: "synchronise both by NTP",
        },
      ];

const wellSentence = (groups: readonly GroupFacts[]): string => {
  const [busiest] = groups.toSorted((left, right) => right.lastHour.total - left.lastHour.total);
  if (busiest === undefined || busiest.lastHour.total === 0) return "All is well: nothing waits";
  const { total, medianMs = 0 } = busiest.lastHour;
  const took = duration(medianMs < 1_000 ? Math.ceil(medianMs / 10) * 10 : medianMs);
  return `All is well: ${counted(total, nounOf(busiest.group))} in the last hour, half of them within ${took}`;
};

const RANK: Readonly<Record<Level, number>> = { trouble: 0, notice: 1, well: 2 };

/**
 * Says why, in sentences: the most important first, at least one. Pure, so that the command line, the console and health
 * answers say the same of the same facts.
 */
export const describe = (facts: Facts): readonly [Finding, ...Finding[]] => {
  const findings: Finding[] = [
    ...ofStores(facts),
    ...(facts.redis === undefined
      ? facts.groups.flatMap((group) => [
          ...ofBreakers(group, facts.now),
          ...ofConsumers(group),
          ...ofPause(group),
          ...ofBacklog(group),
          ...ofRest(group, facts.now),
        ])
      : []),
    ...ofOutbox(facts),
    ...ofClocks(facts),
  ];
  const [first, ...others] = findings.toSorted((left, right) => RANK[left.level] - RANK[right.level]);
  return first === undefined ? [{ level: "well", sentence: wellSentence(facts.groups) }] : [first, ...others];
};
