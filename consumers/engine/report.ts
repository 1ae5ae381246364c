import type { ConsumerReport } from "../../stream/consumer-report.ts";
import type { Admission } from "./admission.ts";
import type { Breaker } from "./breaker.ts";
import type { Capacity } from "./handler.ts";
import type { InFlight } from "./in-flight.ts";
import type { Parties } from "./parties.ts";

/** Pieces that the other system has room for, infinitely many if it set no limit, and its last words about that. */
export interface Granted {
  readonly allowed: number;
  /** For how long it has had room for none, in ms. */
  readonly nothingForMs: number | undefined;
  readonly words: string | undefined;
  /** What it said when it had room for none, and spoke of no limit. */
  readonly refusal: string | undefined;
}

/** undefined: nobody asks how much the other system has room for. */
export const grantedBy = (capacity: Capacity | undefined): Granted | undefined =>
  capacity && {
    allowed: capacity.isLimited() ? capacity.allowed() : Number.POSITIVE_INFINITY,
    nothingForMs: capacity.nothingForMs(),
    words: capacity.words(),
    refusal: capacity.refusal?.(),
  };

/** What is granted, if that is a limit. */
const limitOf = (granted: Granted | undefined): Granted | undefined =>
  granted === undefined || !Number.isFinite(granted.allowed) ? undefined : granted;

/** What a consumer says of itself with each sign of life. */
export const createReport =
  (deps: {
    /** ISO 8601, UTC. */
    readonly startedAt: string;
    readonly state: () => ConsumerReport["state"];
    readonly inFlight: InFlight;
    readonly concurrency: number;
    readonly breaker: Breaker;
    /** ISO 8601, UTC. */
    readonly breakerSince: () => string;
    readonly system: string | undefined;
    readonly granted: () => Granted | undefined;
    readonly admission: Admission;
    readonly parties: Parties;
    readonly faults: () => Readonly<Record<string, string>>;
  }) =>
  (): ConsumerReport => {
    const { inFlight, concurrency, breaker, admission } = deps;
    return {
      startedAt: deps.startedAt,
      state: deps.state(),
      inFlight: inFlight.size(),
      kept: inFlight.kept(),
      concurrency,
      breaker: {
        state: breaker.state,
        since: deps.breakerSince(),
        ...breaker.trouble,
        reasonAgeMs: breaker.troubleAgeMs,
        probeInMs: breaker.probeInMs,
      },
      system: deps.system,
      granted: limitOf(deps.granted()),
      ratePerSecond: admission.ratePerSecond,
      waitingParties: deps.parties.waiting(),
      partyWords: deps.parties.waitingWords(),
      faults: deps.faults(),
    };
  };
