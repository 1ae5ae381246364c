import { trace } from "@opentelemetry/api";
import type { TakenDelivery } from "../../database/ledger/claim.ts";
import { isUuid } from "../../database/uuid.ts";
import {
  countConsumed,
  destinationOf,
  type Message,
  type Result,
  type TraceHop,
  tracedProcess,
  tracedSettle,
} from "../../observability/messaging.ts";
import { instruments, isTelemetryOn } from "../../observability/metrics.ts";
import { type TraceContext, traceContextFromHeaders } from "../../observability/trace-context.ts";
import { type Entry, fieldsOf } from "../../stream/entries.ts";
import type { AroundAttempt } from "./attempt.ts";
import type { Claimer } from "./claimer.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { passesOf, unreachedOf } from "./failure-fields.ts";
import type { Outcome } from "./handler.ts";
import type { RunningAttempt } from "./in-flight.ts";
import type { Isolation } from "./isolation.ts";
import type { Ledger } from "./ledger.ts";
import type { Settler } from "./settler.ts";
import type { UnreadableEntry } from "./sort-entry.ts";

/** Adds spans and metrics to the parts of one group's engine: each method returns its argument wrapped. */
export interface Observer {
  readonly around: AroundAttempt;
  claimer(claimer: Claimer): Claimer;
  isolation(isolation: Isolation): Isolation;
  dispatcher(dispatcher: Dispatcher): Dispatcher;
  ledger(ledger: Ledger): Ledger;
  settler(settler: Settler): Settler;
}

/** Why an entry is attempted now: for the first time, because an earlier attempt failed, or because its consumer died. */
export type DeliveryReason = "first" | "retry" | "claim";

/** A released entry counts as `first` again: no attempt was used up. */
export const deliveryReason = (
  { deliveries, raw }: Pick<Entry, "deliveries" | "raw">,
  claim: Pick<TakenDelivery, "attempts" | "systemFailures" | "tookOver">,
): DeliveryReason => {
  if (claim.tookOver || deliveries > 1) return "claim";
  return claim.attempts > 0 || claim.systemFailures > 0 || unreachedOf(raw) > 0 ? "retry" : "first";
};

const resultOf = (outcome: Outcome): Result =>
  outcome.kind === "done" || outcome.kind === "released"
    ? { outcome: outcome.kind }
    : { outcome: outcome.kind, errorType: outcome.reason };

/** Without telemetry nobody hears of a result. */
const unheard = () => {};

const traceOf = ({ traceparent, tracestate }: TraceContext): TraceContext =>
  tracestate === undefined ? { traceparent } : { traceparent, tracestate };

export const createObserver = (options: {
  readonly events: string;
  readonly group: string;
  readonly consumer: string;
  readonly hop: TraceHop;
  /** Then a lease that ran out is no possible duplicate, and is not counted. */
  readonly isIdempotent: boolean;
  /** Monotonic, ms. */
  readonly now: () => number;
  /** The effect took place `ms` after the event. */
  readonly onDone: (ms: number) => void;
}): Observer => {
  const { events, group, consumer, hop, isIdempotent, now, onDone } = options;
  const destination = destinationOf(events);
  const byGroup = { "messaging.consumer.group.name": group };
  const running = new WeakMap<
    RunningAttempt,
    { readonly startedAt: number; readonly conclude: (result: Result) => void }
  >();

  const countUncertain = (cause: string) => {
    if (!isIdempotent) instruments().uncertain.add(1, { ...byGroup, "signup.uncertain.cause": cause });
  };

  // So that what is in the end can be computed before the first.
  if (!isIdempotent) instruments().takenBack.add(0, byGroup);

  const processing = (entry: Entry, message: Pick<Message, "eventId" | "eventType" | "trace">) => ({
    ...message,
    destination,
    stream: entry.stream,
    entryId: entry.id,
    group,
    consumer,
  });

  const around: AroundAttempt = (attempt, work) => {
    const { entry, event, claim } = attempt;
    const startedAt = now();
    if (claim.tookOver) countUncertain("lease_ran_out");
    if (!isTelemetryOn()) {
      running.set(attempt, { startedAt, conclude: unheard });
      return work();
    }
    const attributes = {
      "signup.delivery.attempt": claim.attempts + 1,
      "signup.delivery.reason": deliveryReason(entry, claim),
      "signup.delivery.count": entry.deliveries,
    };
    const message = processing(entry, { eventId: event.id, eventType: event.type, trace: traceOf(event) });
    return tracedProcess({ ...message, attributes }, hop, (conclude) => {
      running.set(attempt, { startedAt, conclude });
      return work();
    });
  };

  const concluded = (attempt: RunningAttempt, outcome: Outcome): void => {
    const run = running.get(attempt);
    run?.conclude(resultOf(outcome));
    if (outcome.kind === "uncertain") countUncertain(outcome.reason);
    // Without a commit in this attempt, the work was done earlier, as its note says.
    if (outcome.kind !== "done" || !attempt.isCommitted || run === undefined) return;
    const tookMs = attempt.claim.ageMs + now() - run.startedAt;
    instruments().timeToDone.record(tookMs / 1_000, byGroup);
    onDone(tookMs);
  };

  const reject = (settler: Settler, entry: Entry, fault: UnreadableEntry): Promise<void> => {
    const { id = "", type = "", traceparent, tracestate } = fieldsOf(entry.raw ?? []);
    const carried = traceContextFromHeaders(traceparent, tracestate);
    if (carried === undefined) return settler.reject(entry, fault);
    // Fields of an unreadable entry become attributes only if they have the expected form.
    const known = {
      eventId: isUuid(id) ? id : "",
      eventType: /^[\w.-]{1,64}$/.test(type) ? type : "",
    };
    const attributes = { "signup.delivery.reason": "first", "signup.delivery.count": entry.deliveries };
    return tracedProcess({ ...processing(entry, { ...known, trace: carried }), attributes }, hop, (conclude) => {
      conclude({ outcome: "rejected", errorType: fault.reason });
      return tracedSettle(destination, group, entry.id, () => settler.reject(entry, fault));
    });
  };

  const countClaimed = (entries: number) => {
    if (entries > 0) instruments().claimed.add(entries, byGroup);
  };

  return {
    around,
    claimer: (claimer) => ({
      ...claimer,
      claimDue: async (room) => {
        const entries = await claimer.claimDue(room);
        countClaimed(entries.length);
        return entries;
      },
    }),
    isolation: (isolation) => ({
      ...isolation,
      next: async (...asked) => {
        const turn = await isolation.next(...asked);
        if (typeof turn !== "string") countClaimed(turn.length);
        return turn;
      },
    }),
    dispatcher: (dispatcher) => ({
      ...dispatcher,
      deliver: (entries, ...how) => {
        // What was passed over was counted before.
        const consumed = entries.filter(({ raw }) => passesOf(raw) === 0).length;
        if (consumed > 0) countConsumed(destination, group, consumed);
        return dispatcher.deliver(entries, ...how);
      },
    }),
    ledger: (ledger) => ({
      ...ledger,
      unclaim: async (claims) => {
        const answers = await ledger.unclaim(claims);
        const takenBack = answers.filter(({ result }) => result === "taken back").length;
        if (takenBack > 0 && !isIdempotent) instruments().takenBack.add(takenBack, byGroup);
        return answers;
      },
      settle: (settlement) => {
        trace.getActiveSpan()?.setAttributes({
          "signup.delivery.state": settlement.state,
          ...(settlement.delay_ms === null ? {} : { "signup.delivery.next_try_ms": Math.round(settlement.delay_ms) }),
        });
        return ledger.settle(settlement);
      },
    }),
    settler: (settler) => ({
      ...settler,
      settle: (attempt, outcome) => {
        concluded(attempt, outcome);
        return tracedSettle(destination, group, attempt.entry.id, () => settler.settle(attempt, outcome));
      },
      reject: (entry, fault) => reject(settler, entry, fault),
    }),
  };
};
