import type { Screen } from "./screen.ts";

/** A screen that keeps what is written to it. */
export const aScreen = (parts: Partial<Screen> = {}): Screen & { readonly text: () => string } => {
  let text = "";
  return {
    isTerminal: false,
    wantsJson: false,
    rows: () => undefined,
    style: () => (_, plain) => plain,
    write: async (more) => {
      text += more;
    },
    text: () => text,
    ...parts,
  };
};
