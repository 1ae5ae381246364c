import postgres from "postgres";

/** A transaction of somebody else, which holds what its statements have locked. */
export interface Stranger extends AsyncDisposable {
  /** Ends the transaction, and waits for its end. */
  end(how: "commit" | "rollback"): Promise<void>;
}

/** Begins a transaction on a connection of its own, and runs statements in it. */
export const aStranger = async (url: string, ...statements: readonly string[]): Promise<Stranger> => {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql.unsafe("begin");
  for (const text of statements) await sql.unsafe(text);
  let isOpen = true;
  const end = async (how: "commit" | "rollback") => {
    if (!isOpen) return;
    isOpen = false;
    await sql.unsafe(how);
    await sql.end();
  };
  return { end, [Symbol.asyncDispose]: () => end("rollback") };
};
