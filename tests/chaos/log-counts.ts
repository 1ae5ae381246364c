/** How often processes said what, by the words of their log lines. */
export interface LogCounts {
  read(line: string): void;
  /** Forgets what was said so far: what a start says of itself proves nothing. */
  reset(): void;
  count(words: string): number;
}

const messageOf = (line: string): string | undefined => {
  try {
    const parsed: { readonly message?: unknown } = JSON.parse(line);
    return typeof parsed.message === "string" ? parsed.message : undefined;
  } catch {
    return undefined;
  }
};

export const createLogCounts = (): LogCounts => {
  const counts = new Map<string, number>();
  return {
    read(line) {
      const message = messageOf(line);
      if (message !== undefined) counts.set(message, (counts.get(message) ?? 0) + 1);
    },
    reset: () => counts.clear(),
    count: (words) => [...counts].reduce((sum, [message, times]) => (message.includes(words) ? sum + times : sum), 0),
  };
};
