let last: Date | undefined;
let text = "";

/** `toISOString` of a date that is asked for again and again: what one statement has made has one time, the same object. */
export const isoTime = (date: Date): string => {
  if (date === last) return text;
  text = date.toISOString();
  last = date;
  return text;
};
