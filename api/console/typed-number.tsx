/** Above so many, what is done to them is confirmed by typing their number. */
export const TYPED_ABOVE = 100;

/** The field for the number of what is changed; nothing where few are. */
export const TypedNumber = ({ number }: { readonly number: number }) =>
  number > TYPED_ABOVE ? (
    <label class="typed">
      {`Type ${number} to confirm`}
      <br />
      <input name="confirm" inputmode="numeric" autocomplete="off" required />
    </label>
  ) : null;

/** Whether the number was typed, where it has to be; with or without separators of thousands. */
export const isNumberTyped = (form: { get(name: string): string | null }, number: number): boolean =>
  number <= TYPED_ABOVE || (form.get("confirm") ?? "").replace(/[\s,.]/g, "") === String(number);
