/**
 * Trials use so many times the connections: first a quarter, again while that is better, then each of the others. They begin in every second slot of
 * the clock, so that all consumers of a server try at once: each sees its own mails alone, and one that has fewer connections beside others that
 * have as many as before would never be better off.
 */
const FIRST = 1 / 4;
const OTHERS = [2, 1 / 2, 1.4, 1 / 1.4];
/** Slots in which each is tried once. */
const ROW = 2 * OTHERS.length;
/** A slot is a power of two of ms, so that those of consumers for which mails take longer begin with those of others; as long as so many mails take, at least. */
const MAILS_EACH = 3;
const OPENINGS_EACH = 2;
const LEAST_SLOT_MS = 256;
/** A trial begins in this share of its slot. */
const PUNCTUAL = 1 / 3;
/** After this share of a slot without trials the mails of the slot before have ended. */
const SETTLED = 1 / 3;
/** From this share on, all connections are busy: one may be about to be. */
const FULL = 0.9;

/** So few connections tell, without a trial, how quick mails may be: as many as are asked for at first. */
const FEW = 4;
/** Mails of a trial, at least: so many, and one for each connection. More are no better known. */
const LEAST_MAILS = 4;
const MOST_MAILS = 64;
/** Better is what is better by so much, as a logarithm, and by so many standard errors. */
const BETTER = 0.1;
const SURE = 2;
/** What is not sure is tried so often; then one standard error is enough. */
const MOST_TRIALS = 6;
/** Where mails become slower by no more than this power of the connections, fewer are no better, however few. */
const CROWDED = 0.5;
/** What is known of how the times of mails differ before any is: as if so many had been seen; and what is not believed to be less. */
const SPREAD = { variance: 0.1, mails: 4, mostMails: 50, least: 0.002 };
/** A mail that differs by so many standard deviations shows that the server has changed: what was known before counts little. */
const CHANGED = 3;

/** Trials in vain are made anew after so many rows, and twice as many each time; within this time where more connections may be better again. */
const REST_ROWS = 8;
/** Where nothing speaks for it, not before so many slots. */
const LONG_BACKLOG = 48;
const MOST_DOUBLINGS = 4;
const LONGEST_REST_MS = 24_000;
/** Sooner, where mails take longer than with fewer connections by so much, as a logarithm; or, some times, where others may not have tried at once. */
const SLOWER = 0.3;
const MOST_DOUBTS = 6;
/** Beside others that is in each so many-th slot: not all know it by the next one. */
const COMMON_SLOTS = 4;

/** How long mails take that begin while so many connections are busy: as a logarithm, so that a few slow recipients count little. */
export class Times {
  readonly connections: number;
  count = 0;
  mean = 0;

  constructor(connections: number) {
    this.connections = connections;
  }

  get enough(): number {
    return Math.max(LEAST_MAILS, this.connections);
  }

  add(time: number): void {
    this.count = Math.min(this.count + 1, Math.max(MOST_MAILS, 2 * this.connections));
    this.mean += (time - this.mean) / this.count;
  }
}

interface Trial {
  readonly factor: number;
  readonly times: Times;
  /** Mails before count nothing: those of others, which are to use fewer connections, are still under way. */
  readonly countsFrom: number;
  readonly endsAt: number;
  readonly granted: number;
  /** Mails until it ends. */
  left: number;
}

/**
 * How many of the connections that a server grants serve best: some servers become slower with each one, until more of them send fewer mails. All
 * are used unless a trial with fewer shows that mails become quicker by more than that: what is alike stays as it is. Only mails that begin
 * while all connections are busy tell anything.
 */
export class Crowding {
  readonly #now: () => number;
  readonly #openingMs: () => number;
  /** Infinite: as many as are granted. */
  #best = Number.POSITIVE_INFINITY;
  #usual = new Times(0);
  /** With few connections, without a trial: at first, and while there is little to do. */
  readonly #few = new Times(FEW);
  #toTry = new Set<number>();
  #trial: Trial | undefined;
  #lastSlot = 0;
  /** What was tried and is not sure, by factor. */
  readonly #unsure = new Map<number, { readonly times: Times; trials: number }>();
  #spread = { variance: SPREAD.variance, mails: SPREAD.mails };
  /** Slots in which nothing was tried, since something was. */
  #passed = 0;
  /** How often all was in vain. */
  #inVain = 0;
  /** How long mails took when fewer connections were tried last, as a logarithm. */
  #triedAt: number | undefined;
  /** Fewer would be better, unless others tried at the same time; and how often that was so. */
  #isDoubtful = false;
  #doubts = 0;
  /** Connections of all other consumers together. */
  #others = 0;

  /** `now`: ms, monotonic, and nearly the same for all consumers. `openingMs`: how long it takes to open a connection. */
  constructor({ now, openingMs }: { readonly now: () => number; readonly openingMs: () => number }) {
    this.#now = now;
    this.#openingMs = openingMs;
  }

  /** Whether fewer than are granted serve best. */
  get isCrowded(): boolean {
    return Number.isFinite(this.#best);
  }

  /** How many are to be used of those that are granted. */
  of(granted: number): number {
    const trial = this.#trial;
    return Math.min(granted, trial !== undefined && this.#now() < trial.endsAt ? trial.times.connections : this.#best);
  }

  othersHave(connections: number): void {
    this.#others = connections;
  }

  /** A mail begins, one of so many under way. Returns what is to be told how long it took; undefined: that tells nothing. */
  began(underWay: number, granted: number): Times | undefined {
    const now = this.#now();
    if (this.#trial !== undefined && now >= this.#trial.endsAt) this.#end(this.#trial, false);
    const most = this.of(granted);
    const isUnknown = this.#few.count < LEAST_MAILS || underWay < most;
    if (underWay <= FEW && isUnknown && !this.isCrowded && this.#trial === undefined) return this.#few;
    if (underWay < FULL * most || underWay > most) return undefined;
    if (this.#trial !== undefined) return now < this.#trial.countsFrom ? undefined : this.#trial.times;
    if (Math.abs(Math.log(most / this.#usual.connections)) > BETTER) this.#usual = new Times(most);
    const slotMs = this.#slotMs;
    const slot = Math.floor(now / slotMs);
    const share = now / slotMs - slot;
    if (slot % 2 === 1) return share < SETTLED ? undefined : this.#usual;
    if (slot !== this.#lastSlot && share < PUNCTUAL && this.#usual.count >= this.#usual.enough) {
      this.#lastSlot = slot;
      this.#try(slot, slotMs, granted);
    }
    return undefined;
  }

  /** A mail was accepted that told of when it began. */
  accepted(times: Times, tookMs: number): void {
    const time = Math.log(Math.max(1, tookMs));
    if (times.count > 0) {
      const { variance, mails } = this.#spread;
      const square = (time - times.mean) ** 2;
      if (square > CHANGED ** 2 * Math.max(SPREAD.least, variance)) times.count = Math.min(times.count, LEAST_MAILS);
      const share = 1 / Math.min(mails + 1, SPREAD.mostMails);
      this.#spread = { variance: variance + share * (square - variance), mails: mails + 1 };
    }
    times.add(time);
    const trial = this.#trial;
    if (times !== trial?.times) return;
    trial.left -= 1;
    if (trial.left === 0) this.#end(trial, true);
  }

  get #slotMs(): number {
    const mailsMs = MAILS_EACH * Math.exp(this.#usual.mean);
    return 2 ** Math.ceil(Math.log2(Math.max(LEAST_SLOT_MS, mailsMs, OPENINGS_EACH * this.#openingMs())));
  }

  #try(slot: number, slotMs: number, granted: number): void {
    if (this.#toTry.size === 0) this.#tryAnew(slot, slotMs);
    const factor = this.#toTry.has(FIRST) ? FIRST : (OTHERS[(slot / 2) % OTHERS.length] ?? 1);
    if (!this.#toTry.has(factor)) return;
    const { connections: usual, mean } = this.#usual;
    const wanted = Math.round(usual * factor);
    // What a single one takes many turns to tell, two tell sooner.
    const fewer = Math.max(usual > 2 && factor === FIRST ? 2 : 1, Math.min(usual - 1, wanted));
    const connections = Math.min(granted, factor < 1 ? fewer : Math.max(usual + 1, wanted));
    if (connections === usual) return void this.#toTry.delete(factor);
    const before = this.#unsure.get(factor);
    const tried = before?.times.connections === connections ? before : { times: new Times(connections), trials: 0 };
    tried.trials += 1;
    this.#unsure.set(factor, tried);
    const [startsAt, endsAt] = [slot * slotMs, (slot + 1) * slotMs];
    const countsFrom = this.#others === 0 ? startsAt : startsAt + Math.exp(mean);
    this.#trial = { factor, times: tried.times, countsFrom, endsAt, granted, left: tried.times.enough };
  }

  /** Whether mails take longer than when fewer connections were tried, or used. */
  get #isSlower(): boolean {
    const { mean } = this.#usual;
    const before = this.#triedAt ?? (this.#few.count < LEAST_MAILS ? mean : this.#few.mean);
    return mean > before + SLOWER;
  }

  #error(times: Times): number {
    return Math.sqrt(Math.max(SPREAD.least, this.#spread.variance) * (1 / times.count + 1 / this.#usual.count));
  }

  #tryAnew(slot: number, slotMs: number): void {
    this.#passed += 1;
    const isCommon = this.#others === 0 || slot % COMMON_SLOTS === 0;
    const isSoon = isCommon && (this.#isSlower || this.#isDoubtful);
    const most = this.isCrowded ? Math.max(0, Math.floor(Math.log2(LONGEST_REST_MS / (ROW * slotMs)))) : MOST_DOUBLINGS;
    const rows = (this.isCrowded ? 1 : REST_ROWS) * 2 ** Math.min(this.#inVain, most);
    // Counted from the clock's beginning: whoever rests for longer tries when others do.
    const isTime = (this.isCrowded || this.#passed >= LONG_BACKLOG) && Math.floor(slot / ROW) % rows === 0;
    if (!isTime && !isSoon) return;
    this.#passed = 0;
    if (!isSoon) this.#inVain += 1;
    this.#toTry = new Set(this.isCrowded ? [1.4, 1 / 1.4] : [FIRST]);
    if (isSoon) this.#toTry.add(FIRST);
  }

  #end({ factor, times, granted }: Trial, isWhole: boolean): void {
    this.#trial = undefined;
    const usual = this.#usual;
    const { count, connections } = times;
    // With fewer connections, something else is slow.
    if (factor < 1 && count < LEAST_MAILS) return void this.#toTry.delete(factor);
    const wider = Math.log(connections / usual.connections);
    const widerOfAll = Math.log((connections + this.#others) / (usual.connections + this.#others));
    // With more of them, so few have ended because they take so long.
    const slower = factor < 1 || isWhole ? times.mean - usual.mean : Number.POSITIVE_INFINITY;
    // Fewer have to be better if all others tried as well; more, also if no other did.
    const gain = wider - (factor < 1 ? slower : Math.max(slower, (slower * wider) / widerOfAll));
    const error = this.#error(times);
    const isLast = (this.#unsure.get(factor)?.trials ?? 0) >= MOST_TRIALS;
    if (gain > Math.max(BETTER, (isLast ? 1 : SURE) * error)) {
      this.#use(connections < granted ? connections : Number.POSITIVE_INFINITY, connections);
      return;
    }
    if (gain > -SURE * error && gain + SURE * error > BETTER && !isLast) return;
    this.#toTry.delete(factor);
    this.#unsure.delete(factor);
    if (factor > 1) return;
    this.#triedAt = usual.mean;
    this.#isDoubtful = slower / widerOfAll > 1 && this.#doubts < MOST_DOUBTS;
    if (this.#isDoubtful) this.#doubts += 1;
    const isCrowded = slower / wider > CROWDED;
    for (const other of OTHERS) {
      if (other > 1) continue;
      if (!isCrowded && other > factor) this.#toTry.delete(other);
      if (isCrowded && factor === FIRST) this.#toTry.add(other);
    }
  }

  #use(best: number, connections: number): void {
    this.#best = best;
    this.#usual = new Times(connections);
    this.#unsure.clear();
    this.#toTry = new Set([FIRST, ...OTHERS]);
    this.#inVain = 0;
    this.#doubts = 0;
    this.#isDoubtful = false;
  }
}
