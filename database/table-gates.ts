import { TableLocked } from "./errors.ts";

/** Lets statements pass, unless somebody has locked a table that they need. */
export interface TableGates {
  /**
   * `run` calls `mayBegin` when it has a connection, and returns `NOT_BEGUN` if it may not: what has waited for one meanwhile goes back to
   * the others. It rejects with `TableLocked` if a table that the statement needs is locked.
   *
   * @throws {TableLocked} if a table that the statement needs is locked, as it or another one of the same text has found out
   */
  pass<Result>(text: string, run: Run<Result>): Promise<Result>;
}

export const NOT_BEGUN = Symbol("not begun");

type Run<Result> = (mayBegin: () => boolean) => Promise<Result | typeof NOT_BEGUN>;

/** Texts are few; one that is made anew for each statement must not pile up. */
const MAX_CLOSED = 100;

interface Closed {
  /** How the statement ends that has been sent to find out: with an error if the table is still locked. */
  probe: Promise<TableLocked | undefined> | undefined;
}

/**
 * While a table is locked, each statement that needs it would keep a connection for as long as it waits: ten of them, and nothing else
 * is answered. So once one has waited in vain, others of the same text wait for the next one, which alone is sent, and end as it does.
 * They need no connection meanwhile.
 */
export const createTableGates = (): TableGates => {
  const gates = new Map<string, Closed>();

  const close = (text: string): void => {
    if (gates.size >= MAX_CLOSED) gates.clear();
    gates.set(text, { probe: undefined });
  };

  const probe = async <Result>(text: string, gate: Closed, run: Run<Result>): Promise<Result | typeof NOT_BEGUN> => {
    const { promise, resolve } = Promise.withResolvers<TableLocked | undefined>();
    gate.probe = promise;
    let locked: TableLocked | undefined;
    try {
      return await run(() => true);
    } catch (error) {
      if (error instanceof TableLocked) locked = error;
      throw error;
    } finally {
      if (locked === undefined) gates.delete(text);
      gate.probe = undefined;
      resolve(locked);
    }
  };

  const passOnce = async <Result>(text: string, run: Run<Result>): Promise<Result | typeof NOT_BEGUN> => {
    const gate = gates.get(text);
    if (gate?.probe !== undefined) {
      const locked = await gate.probe;
      if (locked !== undefined) throw locked;
      return NOT_BEGUN;
    }
    if (gate !== undefined) return probe(text, gate, run);
    try {
      return await run(() => !gates.has(text));
    } catch (error) {
      if (error instanceof TableLocked && !gates.has(text)) close(text);
      throw error;
    }
  };

  return {
    async pass(text, run) {
      while (true) {
        const result = await passOnce(text, run);
        if (result !== NOT_BEGUN) return result;
      }
    },
  };
};
