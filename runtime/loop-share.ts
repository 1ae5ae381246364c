/** Lets each of many begin only so much in one turn of the event loop, so that what others wait for comes between. */
export interface LoopShare {
  /** Undefined: it may begin now. Else resolves in the turn in which it may, after what came before it under the same key. */
  take(key: string): Promise<void> | undefined;
}

interface Share {
  begun: number;
  readonly waiting: (() => void)[];
}

/** `most`: begun in one turn under one key. */
export const createLoopShare = (most: number): LoopShare => {
  const shares = new Map<string, Share>();

  const nextTurn = (): void => {
    for (const [key, share] of shares) {
      const next = share.waiting.splice(0, most);
      share.begun = next.length;
      if (next.length === 0) shares.delete(key);
      for (const begin of next) begin();
    }
    if (shares.size > 0) setImmediate(nextTurn);
  };

  return {
    take(key) {
      const share = shares.get(key);
      if (share === undefined) {
        if (shares.size === 0) setImmediate(nextTurn);
        shares.set(key, { begun: 1, waiting: [] });
        return undefined;
      }
      if (share.begun < most) {
        share.begun += 1;
        return undefined;
      }
      return new Promise((resolve) => share.waiting.push(resolve));
    },
  };
};
