import { type Destination, type Style, styleFor } from "./style.ts";

/** Standard output, for commands that show more than one answer. */
export interface Screen {
  /** Whether it is redrawn, rather than appended to. */
  readonly isTerminal: boolean;
  /** Whether people or programs read it: `--json`. */
  readonly wantsJson: boolean;
  /** Lines of the terminal, as of now; undefined: it is none. */
  rows(): number | undefined;
  /** Colours and width, as of now. */
  style(): Style;
  /** Resolves when it is written; rejects with EPIPE when nobody reads any more. */
  write(text: string): Promise<void>;
}

/** Standard output of this process. */
export const screenOn = (
  output: Destination & Pick<NodeJS.WriteStream, "write">,
  environment: NodeJS.ProcessEnv,
  wantsJson: boolean,
): Screen => ({
  isTerminal: output.isTTY === true && environment["TERM"] !== "dumb",
  wantsJson,
  rows: () => (output.isTTY === true ? output.rows || undefined : undefined),
  style: () => styleFor(output, environment),
  write: (text) =>
    new Promise((resolve, reject) => {
      output.write(text, (error) => (error == null ? resolve() : reject(error)));
    }),
});

/** Whether whoever read the output is gone, as `head` when it has enough. */
export const isUnread = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "EPIPE";
