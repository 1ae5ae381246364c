/** The value of an option, `--name`. @throws if it is no whole number from 1 */
export const wholeNumber = (name: string, text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name}: expected a whole number from 1`);
  return value;
};
