import { type ApiDocument, resolved, type Schema } from "./document.ts";
import { Prose } from "./prose.tsx";

interface SchemaProps {
  readonly document: ApiDocument;
  readonly schema: Schema;
}

const choices = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join(" | ");

const lengths = ({ minLength, maxLength }: Schema): string => {
  if (minLength === undefined && maxLength === undefined) return "";
  return `, ${minLength ?? 0} to ${maxLength ?? "any number of"} characters`;
};

/** What values a schema allows, in a few words. */
export const typeOf = (document: ApiDocument, schema: Schema): string => {
  const known = resolved(document, schema);
  if (known.const !== undefined) return JSON.stringify(known.const);
  if (known.enum !== undefined) return choices(known.enum);
  const sides = known.anyOf ?? known.oneOf;
  if (sides !== undefined) return sides.map((side) => typeOf(document, side)).join(" | ");
  if (known.items !== undefined && known.type === "array") return `array of ${typeOf(document, known.items)}`;
  const type = [known.type ?? "any"].flat().join(" | ");
  return `${type}${known.format === undefined ? "" : ` (${known.format})`}${lengths(known)}`;
};

/** Where further fields are: in the schema itself, or in the items of an array. */
const withFields = (document: ApiDocument, schema: Schema): Schema => {
  const known = resolved(document, schema);
  return known.items === undefined ? known : resolved(document, known.items);
};

/** The fields of an object, those of objects within it included. */
export const SchemaList = ({ document, schema }: SchemaProps) => {
  const { properties = {}, required = [] } = withFields(document, schema);
  const fields = Object.entries(properties);
  if (fields.length === 0) return null;
  return (
    <ul class="fields">
      {fields.map(([name, field]) => (
        <li>
          <code>{name}</code> <span class="soft">{typeOf(document, field)}</span>
          {required.includes(name) ? null : <span class="soft">, optional</span>}
          {field.default === undefined ? null : (
            <span class="soft">{`, default ${JSON.stringify(field.default)}`}</span>
          )}
          <Prose text={field.description} />
          <SchemaList document={document} schema={field} />
        </li>
      ))}
    </ul>
  );
};
