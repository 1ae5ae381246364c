export interface ExampleRun {
  readonly output: string;
  readonly errors: string;
  /** The exit code. */
  readonly code: number;
}

interface ExampleOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Runs what a document shows, in bash. Whoever reads it has a `bun`; whoever tests it may have one under another name. */
export const runExample = async (text: string, { env, cwd }: ExampleOptions): Promise<ExampleRun> => {
  const script = `bun() { '${process.execPath}' "$@"; }\n${text}`;
  const run = Bun.spawn(["bash", "-euo", "pipefail", "-c", script], {
    cwd,
    env: { ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, errors, code] = await Promise.all([
    new Response(run.stdout).text(),
    new Response(run.stderr).text(),
    run.exited,
  ]);
  return { output, errors, code };
};
