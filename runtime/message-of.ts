/** What an error says; of what is thrown and is none, itself as text. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
