/** What a stamp is cancelled with. */
export interface Postmark {
  readonly date: string;
  readonly time: string;
}

/** Day and time of a moment, in a time zone; without one, in the reader's own. */
export const postmarkOf = (iso: string, timeZone?: string): Postmark => {
  const parts = new Intl.DateTimeFormat("en-GB", {
    day: "2-digit",
    month: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    timeZone,
  }).formatToParts(new Date(iso));
  const of = (wanted: string) => parts.find(({ type }) => type === wanted)?.value ?? "";
  return { date: `${of("day")}·${of("month")}`, time: `${of("hour")}:${of("minute")}` };
};
