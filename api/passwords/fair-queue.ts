/** Items that wait, in a queue for each client. */
export interface FairQueue<Item> {
  size(): number;
  add(client: string, item: Item): void;
  /** Whether it was still waiting. */
  remove(client: string, item: Item): boolean;
  /** Takes the next item of a client that may have it: one of each in turn, those of a client in the order of their arrival. */
  take(mayHave?: (client: string) => boolean): Item | undefined;
  /**
   * Takes the newest item of the client that has the most, if that is more than `client` would have with one more. So a
   * client that fills the queue has its share of it when others come, and a new one always finds room.
   */
  yieldTo(client: string): Item | undefined;
  /** Takes all. */
  clear(): Item[];
}

export const createFairQueue = <Item>(): FairQueue<Item> => {
  // In the order of their turns. A set keeps the order of arrival, and removes from the middle at no cost.
  const queues = new Map<string, Set<Item>>();
  let size = 0;

  const remove = (client: string, item: Item): boolean => {
    const own = queues.get(client);
    if (own?.delete(item) !== true) return false;
    if (own.size === 0) queues.delete(client);
    size -= 1;
    return true;
  };

  const take = (mayHave: (client: string) => boolean = () => true): Item | undefined => {
    for (const [client, own] of queues) {
      if (!mayHave(client)) continue;
      for (const item of own) {
        remove(client, item);
        // Its next turn comes after everybody else's.
        if (queues.delete(client)) queues.set(client, own);
        return item;
      }
    }
    return undefined;
  };

  return {
    size: () => size,
    add(client, item) {
      const own = queues.get(client);
      if (own === undefined) queues.set(client, new Set([item]));
      else own.add(item);
      size += 1;
    },
    remove,
    take,
    yieldTo(client) {
      let most: string | undefined;
      let length = (queues.get(client)?.size ?? 0) + 1;
      for (const [other, items] of queues) {
        if (items.size > length) [most, length] = [other, items.size];
      }
      const newest = most === undefined ? undefined : [...(queues.get(most) ?? [])].at(-1);
      if (most !== undefined && newest !== undefined) remove(most, newest);
      return newest;
    },
    clear() {
      const all = [...queues.values()].flatMap((own) => [...own]);
      queues.clear();
      size = 0;
      return all;
    },
  };
};
