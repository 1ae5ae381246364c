import type { Outcome } from "../consumers/engine/handler.ts";
import type { Database } from "../database/connection.ts";
import { anExampleGroup } from "./example-group.ts";
import type { Spells } from "./model-spells.ts";
import type { Scripted } from "./model-steps.ts";
import type { Witness } from "./model-witness.ts";
import { aMailGroup, type MailWork } from "./pipeline.ts";

interface Worker {
  readonly consumer: string;
  /** Of a consumer that is dead, work has no outcome. */
  readonly isDead: () => boolean;
}

/** What both groups do in a world: mails have the outcomes that its steps say, the others take long or fail by chance. */
export class ModelWork {
  readonly #db: Database;
  readonly #seen: Witness;
  readonly #spells: Spells;
  readonly #scripted: Scripted[] = [];
  #hanging: Promise<void> | undefined;

  constructor(db: Database, { seen, spells }: { readonly seen: Witness; readonly spells: Spells }) {
    this.#db = db;
    this.#seen = seen;
    this.#spells = spells;
  }

  of(worker: Worker) {
    return { mails: this.#mails(worker), examples: this.#examples(worker) };
  }

  /** What the next attempt of a mail ends as. */
  script(outcome: Scripted): void {
    // Five failures of the system would open the breaker, whose probes take seconds: it has tests of its own.
    if (outcome !== "unavailable" || !this.#scripted.includes("unavailable")) this.#scripted.push(outcome);
  }

  forgetScript(): void {
    this.#scripted.length = 0;
  }

  /** Until it ends, mails begin, and have no outcome. */
  hang(): { readonly end: () => void } {
    const hang = Promise.withResolvers<void>();
    this.#hanging = hang.promise;
    return {
      end: () => {
        hang.resolve();
        this.#hanging = undefined;
      },
    };
  }

  #mails({ consumer, isDead }: Worker) {
    const work: MailWork = async ({ eventId }, { email }, attempt): Promise<Outcome> => {
      await Bun.sleep(Math.random() * 8);
      await this.#hanging;
      if (isDead()) return new Promise(() => {});
      const told = this.#spells.told(email.slice(email.lastIndexOf("@") + 1));
      if (told !== undefined) return told;
      const scripted = this.#scripted.shift();
      if (scripted === "transient") return { kind: "transient", reason: "try_later" };
      if (scripted === "unavailable") return { kind: "unavailable", reason: "dns" };
      if (scripted === "rejected") {
        this.#seen.refused.add(eventId);
        return { kind: "rejected", reason: "policy", reply: "550 no" };
      }
      if (!attempt.commit()) return { kind: "released", reason: "lease_lost" };
      this.#seen.committed.add(`${consumer} ${eventId}`);
      if (scripted === "uncertain") return { kind: "uncertain", reason: "deadline_after_data" };
      this.#seen.copies.set(eventId, (this.#seen.copies.get(eventId) ?? 0) + 1);
      if (scripted === "lost-250") return { kind: "uncertain", reason: "connection_lost_after_data" };
      return { kind: "done", reply: "250", receipt: "m" };
    };
    return aMailGroup(this.#db, work, {
      concurrency: 4,
      retryMax: 50,
      retryDelayMs: 10,
      expireAfterMs: 600_000,
    });
  }

  #examples({ isDead }: Worker) {
    const outcome = () => (isDead() ? new Promise<Outcome>(() => {}) : undefined);
    const chance = { slowShare: 0.1, slowMs: 20, failingShare: 0.1 };
    return anExampleGroup(
      { ...chance, outcome, onDone: (eventId) => void this.#seen.worked.add(eventId) },
      { concurrency: 4, retryDelayMs: 10 },
    );
  }
}
