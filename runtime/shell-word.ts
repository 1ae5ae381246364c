const PLAIN = /^[\w.:@%+=/-]+$/;

/** A text as one word of a command that is shown for copying: in quotes, if a shell needs them. */
export const shellWord = (text: string): string => (PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
