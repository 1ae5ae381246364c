/** Places for what stays open: so many in all, and so many for one client. */
export interface Places {
  /** Takes a place; returns what gives it back, once. Undefined: there is none. */
  take(client: string): (() => void) | undefined;
}

export const createPlaces = (max: number, maxPerClient: number): Places => {
  const taken = new Map<string, number>();
  let all = 0;
  return {
    take(client) {
      const own = taken.get(client) ?? 0;
      if (all >= max || own >= maxPerClient) return undefined;
      all += 1;
      taken.set(client, own + 1);
      let isFree = false;
      return () => {
        if (isFree) return;
        isFree = true;
        all -= 1;
        const left = (taken.get(client) ?? 1) - 1;
        if (left === 0) taken.delete(client);
        else taken.set(client, left);
      };
    },
  };
};
