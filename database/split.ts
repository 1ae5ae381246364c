/** Parts that a batch is split into when one of its rows may be at fault: 128 rows, 16, 2, 1. */
const SPLIT_INTO = 8;

export const partsOf = <Each>(all: readonly Each[]): readonly (readonly Each[])[] => {
  const size = Math.ceil(all.length / SPLIT_INTO);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
};

/** The first row that has each key, and those that share a key with one of them. */
export const firstOfEachKey = <Row, Call extends { readonly row: Row }>(
  calls: readonly Call[],
  keysOf: (row: Row) => readonly string[],
): readonly [firsts: readonly Call[], others: readonly Call[]] => {
  const seen = new Set<string>();
  const { firsts = [], others = [] } = Object.groupBy(calls, ({ row }) => {
    const keys = keysOf(row);
    const isFirst = keys.every((key) => !seen.has(key));
    for (const key of keys) seen.add(key);
    return isFirst ? "firsts" : "others";
  });
  return [firsts, others];
};
