import type { Outcome } from "../consumers/engine/handler.ts";
import type { Spell } from "./model-steps.ts";

/** For so long each piece is told to wait while everything is declined. */
const TOLD_MS = 6_000;
/** Two in a row tell that logins are refused; what a consumer has in flight meanwhile has asked already. */
const LOGINS_OF_A_START = 6;
/** After the first question nobody asks for so long, then for twice as long, and so on. */
const FIRST_PERMIT_MS = 4_000;

const permitsWithin = (ms: number): number => Math.floor(Math.log2(ms / FIRST_PERMIT_MS + 1)) + 1;

/** Times in which the mail server says the same to whoever asks. */
export class Spells {
  readonly #now = new Set<{ readonly kind: Spell }>();
  #logins = 0;
  /** Consumers that were there, or were started, while logins were refused. */
  #consumers = 0;
  #permits = 0;

  /** Resolves when it is over. */
  async begin(kind: Spell, { ms, consumers }: { readonly ms: number; readonly consumers: number }): Promise<void> {
    const spell = { kind };
    this.#now.add(spell);
    if (kind === "refuse logins") {
      this.#consumers += consumers;
      this.#permits += permitsWithin(ms);
    }
    await Bun.sleep(ms);
    this.#now.delete(spell);
  }

  /** A consumer was started. */
  started(): void {
    if ([...this.#now].some(({ kind }) => kind === "refuse logins")) this.#consumers += 1;
  }

  /** What a mail is told now; undefined: nothing of the kind. */
  told(party: string): Outcome | undefined {
    const [spell] = this.#now;
    if (spell === undefined) return undefined;
    if (spell.kind === "decline all")
      return { kind: "transient", reason: "greylisted", minDelayMs: TOLD_MS, party, reply: "451 4.7.1" };
    this.#logins += 1;
    return { kind: "unavailable", reason: "auth", reply: "535 5.7.8", isHarmful: true };
  }

  /** How many logins were refused, and how many may have been tried: a few by each consumer, and one for each permit. */
  logins(): { readonly tried: number; readonly most: number } {
    return { tried: this.#logins, most: this.#consumers * LOGINS_OF_A_START + this.#permits };
  }
}
