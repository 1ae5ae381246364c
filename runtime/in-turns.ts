import { messageOf } from "./message-of.ts";
/**
 * Gives each item its turn, whatever happened in the turns of the others: an error of one must not stop the rest. Those
 * that answer "again" get another turn after all have had theirs, so that a long backlog delays nobody; an error ends an
 * item's turns. Once the signal is aborted, no further turn begins.
 *
 * @throws {Error} in the end, naming each item that failed
 */
export const inTurns = async <Item extends { readonly name: string }>(
  items: readonly Item[],
  turn: (item: Item) => Promise<"again" | "idle">,
  signal?: AbortSignal,
): Promise<void> => {
  const errors: Error[] = [];
  let waiting = items;
  while (waiting.length > 0) {
    const more: Item[] = [];
    for (const item of waiting) {
      if (signal?.aborted === true) break;
      try {
        if ((await turn(item)) === "again") more.push(item);
      } catch (error) {
        errors.push(new Error(`${item.name}: ${messageOf(error)}`, { cause: error }));
      }
    }
    waiting = signal?.aborted === true ? [] : more;
  }
  const [first, ...others] = errors;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  throw new AggregateError(errors, errors.map(messageOf).join("; "));
};
