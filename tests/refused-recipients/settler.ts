import { decide } from "../../consumers/engine/decide.ts";
import { unreachedOf, withFailure, withPass, withUnreached } from "../../consumers/engine/failure-fields.ts";
import type { Policy } from "../../consumers/engine/handler.ts";
import type { Settler } from "../../consumers/engine/settler.ts";
import { pause } from "../../runtime/loop.ts";
import type { Entry } from "../../stream/entries.ts";
import type { Piece, SimulatedStreams } from "./streams.ts";

/** Until a store has answered, in ms. */
export const STORE_MS = 3;

export const unused = async (): Promise<never> => {
  throw new Error("is not simulated");
};

/** Settles as the engine's does, without stores: what an outcome means for a piece, and when its entry comes back. */
export const simulatedSettler = (deps: {
  readonly streams: SimulatedStreams;
  readonly pieceOf: (entry: Entry) => Piece;
  readonly policy: Policy;
  readonly random: () => number;
  /** Outcomes wait for others. */
  readonly outcome: () => Promise<void>;
  readonly onPassed: () => void;
  /** Monotonic, ms. */
  readonly now: () => number;
}): Settler => {
  const { streams, pieceOf, policy, random, outcome, onPassed, now } = deps;
  return {
    complete: unused,
    delay: unused,
    reject: unused,
    dismiss: unused,
    pass: unused,
    release: unused,
    async passOver(all) {
      await pause(STORE_MS);
      for (const { entry, delayMs } of all) {
        onPassed();
        const piece = pieceOf(entry);
        if (delayMs > 0) piece.raw = withPass(piece.raw, 1);
        streams.delay(piece, delayMs);
      }
    },
    async settle({ entry, claim }, given) {
      await outcome();
      await pause(STORE_MS);
      const piece = pieceOf(entry);
      const { ledger, move } = decide(given, { ...claim, unreached: unreachedOf(piece.raw) }, policy, random);
      piece.state = ledger.state;
      piece.attempts += ledger.attempts;
      piece.systemFailures += ledger.system_failures;
      if (piece.lastReason !== ledger.reason) piece.changedAt = now();
      piece.lastReason = ledger.reason;
      const isTried = ledger.attempts + ledger.system_failures > 0;
      if (move.kind === "delay" && move.isUnreached === true) piece.raw = withUnreached(piece.raw, "");
      else if (isTried)
        piece.raw = withFailure(piece.raw, { attempts: piece.attempts, at: "", reason: ledger.reason ?? "" });
      if (move.kind === "delay") streams.delay(piece, move.delayMs);
      else if (move.kind === "release") streams.delay(piece, 0);
      else if (ledger.state === "held") streams.delay(piece, ledger.delay_ms ?? Number.POSITIVE_INFINITY);
    },
  };
};
