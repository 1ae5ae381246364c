/** What the graphs of a group's last hour draw: the minutes as seconds since 1970, and a value for each. */
export interface HourSeries {
  readonly minutes: readonly number[];
  /** Pieces that were done. */
  readonly done: readonly number[];
  /** Within how many seconds half of them were; null: none was done. */
  readonly seconds: readonly (number | null)[];
}
