import type { Checkpoint } from "../consumers/engine/checkpoint.ts";
import type { DeliveryStatus } from "../database/ledger/status.ts";
import type { Asked } from "./losing-answers.ts";

export type Scripted = "transient" | "unavailable" | "rejected" | "uncertain" | "lost-250";

/** For so long, whoever asks: each piece is told to come back later, or each login is refused. */
export type Spell = "decline all" | "refuse logins";

export type Step =
  | { readonly do: "sign up" }
  | { readonly do: "sign up, die before XADD" }
  | { readonly do: "second entry" }
  | { readonly do: "start a consumer" }
  | { readonly do: "crash a consumer" | "crash all consumers" | "stop a consumer" }
  /** With work in flight in each, and again when their peers have taken it over. */
  | { readonly do: "crash fleets"; readonly times: number }
  | { readonly do: "die at"; readonly checkpoint: Checkpoint }
  | { readonly do: "next attempt"; readonly outcome: Scripted }
  | { readonly do: Spell; readonly ms: number }
  | { readonly do: "lose an answer"; readonly to: Asked }
  | { readonly do: "lose all answers"; readonly ms: number }
  | { readonly do: "trim" }
  | { readonly do: "flush" }
  | { readonly do: "wait"; readonly ms: number };

/** Whether a delivery counts as doubtful, because a lease ran out, only where that can be said of the lease's owner. */
export const areDoubtsExplained = ({ timeline }: DeliveryStatus, mayBeInDoubt: (owner: string) => boolean): boolean =>
  timeline.every(({ state, reason }, index) => {
    if (state !== "uncertain" || reason !== "lease_ran_out") return true;
    const claimed = timeline.slice(0, index).findLast((step) => step.state === "active" && step.by !== undefined);
    return mayBeInDoubt(claimed?.by ?? "");
  });
