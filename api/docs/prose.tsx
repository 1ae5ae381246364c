/** A description: text in which backticks mean code. */
export const Prose = ({ text }: { readonly text: string | undefined }) =>
  text === undefined ? null : <p>{text.split("`").map((part, at) => (at % 2 === 1 ? <code>{part}</code> : part))}</p>;
