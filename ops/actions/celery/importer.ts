import { comparisonKey, nameKey } from "../../../database/comparison-key.ts";
import {
  createImportWriter,
  findSignupFacts,
  type ImportedSignup,
  type SignupFacts,
} from "../../../database/users/import.ts";
import { randomHex, randomTraceContext } from "../../../observability/trace-context.ts";
import type { CeleryQueue, FoundMessage } from "../../../stream/celery/broker.ts";
import { type DecodedTask, decodeTask } from "../../../stream/celery/message.ts";
import type { CeleryResults, TaskEvidence } from "../../../stream/celery/results.ts";
import {
  type Locale,
  USER_SIGNED_UP,
  userSignedUp,
  userSignedUpSchema,
} from "../../../stream/events/user-signed-up.ts";
import { boundGroups, WELCOME_EMAIL } from "../../../stream/groups.ts";
import type { Operator } from "../operator.ts";
import type { Candidate, Considered } from "./considered.ts";
import { type DecideOptions, decide, obstacleIn, wasWithWorker, welcomeArguments } from "./decide.ts";
import { eventIdOfTask } from "./event-id.ts";
import type { Tally } from "./tally.ts";
import { unknownPassword } from "./unknown-password.ts";

/*
 * The order of writes for a message. If the process dies between two of them, the next one sees:
 *
 * | step                                          | died after it: the next one sees                                     |
 * | --------------------------------------------- | -------------------------------------------------------------------- |
 * | broker: from its list, or from `unacked`, to  | the message aside, where no worker gets it; the next import decides  |
 * | a hash of ours, if it is still there          | about it first (`taken`)                                             |
 * | results: our mark, if a worker may have it    | our own mark, which is no evidence                                   |
 * | Postgres: user, event, deliveries, outbox row | the event under the same id: nothing is written again (`recorded`)   |
 * | broker: forgotten                             | nothing: the relay publishes the event                               |
 *
 * What Celery says of the task is read after it was moved, when no worker can begin it any more.
 */

/** A queue, and the results of its tasks. */
export interface CeleryBroker {
  readonly queue: CeleryQueue;
  readonly results: CeleryResults;
}

export interface ImportOptions extends DecideOptions {
  /** Of users who are made. */
  readonly locale: Locale;
  readonly now: () => Date;
}

export interface Importer {
  /** What would become of messages now. It changes nothing. */
  consider(messages: readonly FoundMessage[]): Promise<readonly Considered[]>;
  /** Decides about messages that were moved aside, records and forgets them; returns how many went back. */
  settle(taken: readonly FoundMessage[], tally: Tally): Promise<number>;
}

const localeSchema = userSignedUpSchema.shape.locale.unwrap();
const NO_FACTS: SignupFacts = {
  isImported: false,
  isAnothers: false,
  isNameTaken: false,
  user: undefined,
  isHandled: false,
};
const NO_EVIDENCE: TaskEvidence = { status: null, isMarked: false };
const KIND = { type: USER_SIGNED_UP, group: WELCOME_EMAIL.name };

/** Who imports, for the timeline. */
const BY = "ops import celery";

const candidateOf = (decoded: DecodedTask): Candidate | undefined => {
  const person = welcomeArguments(decoded);
  if (decoded.kind !== "task" || person === undefined) return undefined;
  return {
    taskId: decoded.task.id,
    eventId: eventIdOfTask(decoded.task.id),
    ...person,
    emailKey: comparisonKey(person.email),
    userNameKey: nameKey(person.userName),
  };
};

/** In rounds in which no address and no id is twice: the second message finds what the first has become. */
const inRounds = (messages: readonly FoundMessage[]): readonly (readonly FoundMessage[])[] => {
  const times = new Map<string, number>();
  const rounds: FoundMessage[][] = [];
  for (const found of messages) {
    const candidate = candidateOf(decodeTask(found.message));
    const names = candidate === undefined ? [found.field] : [candidate.emailKey, candidate.eventId];
    const round = Math.max(...names.map((name) => times.get(name) ?? 0));
    for (const name of names) times.set(name, round + 1);
    const others = rounds[round];
    if (others === undefined) rounds.push([found]);
    else others.push(found);
  }
  return rounds;
};

export const createImporter = (
  { db, groups, at }: Pick<Operator, "db" | "groups" | "at">,
  { queue, results }: CeleryBroker,
  options: ImportOptions,
): Importer => {
  const write = createImportWriter(boundGroups(groups), { group: WELCOME_EMAIL.name, by: BY });

  const consider: Importer["consider"] = async (messages) => {
    const read = messages.map((found) => {
      const decoded = decodeTask(found.message);
      const candidate = obstacleIn(decoded, found, options) === undefined ? candidateOf(decoded) : undefined;
      return { found, decoded, candidate };
    });
    const candidates = read.flatMap(({ candidate }) => candidate ?? []);
    const [facts, evidence] = await Promise.all([
      findSignupFacts(db, candidates, KIND),
      results.evidence(candidates.map(({ taskId }) => taskId)),
    ]);
    const now = options.now();
    return read.map((each) => {
      const { found, decoded, candidate } = each;
      const known = {
        facts: (candidate && facts(candidate)) ?? NO_FACTS,
        evidence: evidence.get(candidate?.taskId ?? "") ?? NO_EVIDENCE,
        now,
      };
      return { ...each, facts: known.facts, decision: decide(decoded, found, known, options) };
    });
  };

  const signupOf = ({ decision, candidate, facts }: Considered): readonly ImportedSignup[] => {
    if (decision.kind !== "record" || candidate === undefined) return [];
    const { eventId, taskId: _, ...person } = candidate;
    const userId = facts.user?.userId ?? Bun.randomUUIDv7();
    const { data: locale = options.locale } = localeSchema.safeParse(facts.user?.locale);
    return [
      {
        userId,
        event: { eventId, ...userSignedUp({ userId, locale }), ...randomTraceContext(randomHex) },
        work: decision.work,
        makes: decision.makesUser ? { ...person, passwordHash: unknownPassword(), locale } : undefined,
      },
    ];
  };

  const settleRound = async (taken: readonly FoundMessage[], tally: Tally): Promise<number> => {
    // Whoever has one of these in memory, and asks for the mark before the mail, leaves it to us.
    const decodings = taken.map((found) => ({ found, decoded: decodeTask(found.message) }));
    const held = decodings.filter(({ found, decoded }) => wasWithWorker(decoded, found));
    await results.mark(held.flatMap(({ decoded }) => candidateOf(decoded)?.taskId ?? []));
    const considered = await consider(taken);
    const written = await write(db, considered.flatMap(signupOf));
    await at("recorded");
    const finished: FoundMessage[] = [];
    let back = 0;
    for (const each of considered) {
      const { found, decoded, decision, candidate } = each;
      const isWritten = written.has(candidate?.eventId ?? "");
      // A name or an address was taken at the same moment: the next import sees by whom.
      const isLate = decision.kind === "record" && decision.makesUser && !isWritten;
      if (decision.kind === "leave" || isLate) {
        if (candidate !== undefined && wasWithWorker(decoded, found)) await results.unmark(candidate.taskId);
        await queue.putBack(found);
        tally.leave(each, decision.kind === "leave" ? decision.reason : "name_taken");
        back += 1;
        continue;
      }
      finished.push(found);
      if (decision.kind === "drop") tally.take(each, decision.outcome);
      else tally.take(each, isWritten ? decision.work.state : "imported_before", decision.makesUser);
    }
    await queue.finish(finished);
    return back;
  };

  return {
    consider,
    async settle(taken, tally) {
      let back = 0;
      for (const round of inRounds(taken)) back += await settleRound(round, tally);
      return back;
    },
  };
};
