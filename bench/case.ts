import type { Contender, Kind } from "./contenders.ts";
import type { Stores } from "./costs.ts";

/** What is measured, by name; CPU in µs and bytes for each signup or mail. */
export type Figures = Readonly<Record<string, number>>;

export interface BenchOptions {
  readonly stores: Stores;
  readonly contender: Contender;
  /** How long `accept` measures. */
  readonly seconds: number;
  /** How many mails `drain` sends. */
  readonly mails: number;
  /** Mails in flight in a consumer, and its SMTP connections. */
  readonly concurrency: number;
}

export interface Case {
  /** Whom it can be asked of. */
  readonly of: readonly Kind[];
  /** Measured with autovacuum, and so with no other cases: elsewhere it would fall into a measurement by chance. */
  readonly vacuums?: boolean;
  measure(options: BenchOptions): Promise<Figures>;
}
