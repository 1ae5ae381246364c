/** Longer stacks reach into the lines above and below; no language has them. */
const MOST_MARKS = 4;

/** One mark twice, more than four, or one with no letter to stand on: it goes to whatever is before the name (UTS 39, 5.4). */
const PILED = new RegExp(`([\\p{Mn}\\p{Me}])\\1|[\\p{Mn}\\p{Me}]{${MOST_MARKS + 1}}|(?:^|\\p{Z})\\p{M}`, "u");

/** Whether combining marks of a name are piled up, or hang on nothing. */
export const hasPiledMarks = (name: string): boolean => PILED.test(name.normalize("NFD"));
