/** Different parties that decline in a row: then it is the system that declines, or our account is refused. */
const DECLINING_PARTIES = 5;
/**
 * Declined in a row until fewer pieces are attempted at the same time: half as many after twice as many, and so on. A system that declines
 * answers quickly, and what comes behind those that it declines may be welcome.
 */
const DECLINED_MOST = 1_000;
/** It lasts when everything has been declined for so long, or so often: until then it may be a few that came together. */
const DECLINED_MS = 2_000;
const DECLINED_TOGETHER = 100;
/** For so long after everything was declined, what is declined for now may be so for the same reason. */
const DECLINED_LATELY_MS = 600_000;

/** A peer may have had a piece declined so long before this consumer did, where none was accepted here in between. */
const PEERS_BEFORE_MS = 2_000;

/** When pieces were asked for, first and last. Monotonic, ms. */
export interface AskedFor {
  readonly since: number;
  readonly until: number;
}

/** What a working system has declined in a row, with no success between: whether it declines everything. Times are monotonic, ms. */
export class DeclinedRow {
  #count = 0;
  readonly #parties = new Set<string>();
  #beganAt = 0;
  #askedFor: AskedFor = { since: 0, until: 0 };
  #allDeclined: AskedFor | undefined;
  #allDeclinedAt = Number.NEGATIVE_INFINITY;
  #endedAt = Number.NEGATIVE_INFINITY;

  add({ party, askedAt }: { readonly party: string; readonly askedAt: number }, now: number): void {
    if (this.#count === 0) {
      this.#beganAt = now;
      const since = Math.min(askedAt, Math.max(this.#endedAt, askedAt - PEERS_BEFORE_MS));
      this.#askedFor = { since, until: askedAt };
    }
    this.#count += 1;
    const { since, until } = this.#askedFor;
    this.#askedFor = { since: Math.min(since, askedAt), until: Math.max(until, askedAt) };
    if (!this.isOfAll) this.#parties.add(party);
    if (!this.isOfAll) return;
    this.#allDeclined = this.#askedFor;
    this.#allDeclinedAt = now;
  }

  end(now: number): void {
    this.#endedAt = now;
    this.#count = 0;
    this.#parties.clear();
  }

  /** How many parties are in it, as many as it takes. */
  get parties(): number {
    return this.#parties.size;
  }

  /** Whether everything is declined. */
  get isOfAll(): boolean {
    return this.#parties.size >= DECLINING_PARTIES;
  }

  /** Whether everything is declined, or was within ten minutes. */
  wasOfAllLately(now: number): boolean {
    return this.isOfAll || now - this.#allDeclinedAt < DECLINED_LATELY_MS;
  }

  /** Whether it is more than a few that came together. */
  isLasting(now: number): boolean {
    return this.#count >= DECLINED_TOGETHER || now - this.#beganAt >= DECLINED_MS;
  }

  /** Which part of what is allowed is attempted at the same time. */
  get share(): number {
    return Math.min(1, DECLINED_MOST / this.#count);
  }

  /** When what was declined was asked for, as everything is, or was last; undefined if it never was. */
  get allDeclined(): AskedFor | undefined {
    return this.#allDeclined;
  }
}
