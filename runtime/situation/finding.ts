/** trouble: work does not flow, or will not soon; notice: it flows, and somebody should look; well: neither. */
export type Level = "trouble" | "notice" | "well";

/** What an operator looks at, or acts on: deliveries by their state, or a part of what may be done. */
export type Place = "dead" | "held" | "retrying" | "pauses" | "rates" | "receivers" | "suppressions" | "jobs";

/** One thing to say about the system. */
export interface Finding {
  readonly level: Level;
  /** The group that it is about; undefined: the whole. */
  readonly group?: string;
  /** Further groups that it is about: they work with the same system. */
  readonly alsoOf?: readonly string[];
  readonly sentence: string;
  /** The reason that the sentence names. */
  readonly reason?: string;
  /** What to do about it; undefined: it heals by itself, or there is nothing to do. */
  readonly remedy?: string;
  /** Where a page shows more of it; its group is the finding's. */
  readonly see?: Place;
  /** Findings of several groups with the same are one thing that happened: they are said once. */
  readonly cause?: string;
}
