import { bucketOf } from "../../stream/history.ts";

/** Counts what was finished since the last sign of life, by the buckets of `stream/history.ts`. */
export class Finished {
  #counts = new Map<number, number>();

  add(ms: number): void {
    const bucket = bucketOf(ms);
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
  }

  take(): ReadonlyMap<number, number> {
    const taken = this.#counts;
    this.#counts = new Map();
    return taken;
  }

  putBack(counts: ReadonlyMap<number, number>): void {
    for (const [bucket, count] of counts) this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
  }
}
