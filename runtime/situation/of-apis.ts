import { POSTGRES_DISK_FULL, REDIS_AWAY, STREAM_AT_END } from "../published-fault.ts";
import { count, counted, duration } from "../quantity.ts";
import type { ApiFacts, Facts } from "./facts.ts";
import type { Finding } from "./finding.ts";
import { since, verb } from "./words.ts";

/** Why an api refuses signups, without since when. */
interface Refusing {
  readonly name: string;
  readonly fault: string;
  readonly since: Date;
  /** The last time; undefined: it lasts. */
  readonly at: Date | undefined;
}

const refusingOf = ({ name, postgres, refusal }: ApiFacts): readonly Refusing[] => {
  if (refusal !== undefined) return [{ name, ...refusal }];
  if (postgres === undefined) return [];
  const { refusal: code } = postgres;
  const fault = code === undefined ? "PostgreSQL does not answer it" : `PostgreSQL refuses its connections (${code})`;
  return [{ name, fault, since: postgres.since, at: undefined }];
};

/** Whether it has said that nothing keeps it from signups. */
export const isWell = (api: ApiFacts): boolean => refusingOf(api).length === 0;

const NAMED = 2;

/** `api-1 and api-2`, `api-1, api-2 and 3 more`. */
export const named = (names: readonly string[]): string => {
  const rest = names.length - NAMED;
  if (rest <= 0) return names.join(" and ");
  return `${names.slice(0, NAMED).join(", ")} and ${count(rest)} more`;
};

const times = (dates: readonly Date[]): readonly number[] => dates.map((date) => date.getTime());

/** Signups that apis refuse: once for each reason. */
export const ofRefusingApis = ({ apis = [], postgres, isOnlooker, now }: Facts): readonly Finding[] => {
  // Who asks is not answered either, and that says enough, unless it answers others.
  if (postgres !== undefined && !(isOnlooker === true && apis.some(isWell))) return [];
  const refusing = apis.flatMap(refusingOf).filter(({ fault }) => !fault.includes(POSTGRES_DISK_FULL));
  return [...Map.groupBy(refusing, ({ fault }) => fault)].map(([fault, same]) => {
    const first = new Date(Math.min(...times(same.map((each) => each.since))));
    const lasts = times(same.flatMap(({ at }) => at ?? []));
    const last =
      lasts.length === 0 ? "" : `, the last time ${duration(Math.max(0, now.getTime() - Math.max(...lasts)))} ago`;
    const who = `${named(same.map(({ name }) => name))} ${verb(same.length, "refuses", "refuse")} signups`;
    const sentence = `${who}, because ${fault}, ${since(first.toISOString(), now)}${last}; what was accepted is not lost`;
    return { level: "trouble", sentence, remedy: "ops doctor" };
  });
};

const withoutSince = (fault: string): string => fault.replace(/; since .*$/, "");

/** One that says so has reached Redis since. */
const isOfRedis = (fault: string): boolean => fault.startsWith(REDIS_AWAY);

/** Loops of apis that cannot do their work, though the stores answer who asks: once for each fault. */
export const ofLoopsOfApis = ({ apis = [], postgres, redis, ended = [] }: Facts): readonly Finding[] => {
  if (postgres !== undefined || redis !== undefined) return [];
  const stuck = apis.flatMap(({ name, postgres: own, loops }) =>
    own === undefined
      ? Object.entries(loops)
          // Where the stream is known, that says more.
          .filter(([, fault]) => !isOfRedis(fault) && (ended.length === 0 || !fault.startsWith(STREAM_AT_END)))
          .map(([loop, fault]) => ({ name, loop, fault }))
      : [],
  );
  return [...Map.groupBy(stuck, ({ fault }) => withoutSince(fault)).values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const loops = new Set(same.map(({ loop }) => loop)).size;
    const names = [...new Set(same.map(({ name }) => name))];
    const also = loops === 1 ? "" : `, and ${counted(loops - 1, "other loop")}`;
    const sentence = `The loop ${first.loop}${also} of ${named(names)} cannot do ${verb(loops, "its", "their")} work (${first.fault})`;
    return [{ level: "trouble", sentence, remedy: "ops doctor" } as const];
  });
};
