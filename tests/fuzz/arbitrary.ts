import fc from "fast-check";
import type { DescribedOperation, Schema } from "./openapi.ts";

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const wholeNumber = (value: unknown, fallback: number): number => (typeof value === "number" ? value : fallback);

/** Texts of the formats that bodies use; each is one that an honest client sends. */
const FORMATS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  email: fc.stringMatching(/^[a-z]{2,10}\.[a-z0-9]{10}@[a-z]{3,8}\.example$/),
  uuid: fc.uuid(),
  password: fc.stringMatching(/^[a-zA-Z0-9]{5} [a-zA-Z0-9]{9} [a-zA-Z0-9]{5}$/),
};

/** A text of plain letters within the bounds of a schema, or one of its examples. */
const plainText = ({ minLength, maxLength, pattern }: Schema): fc.Arbitrary<string> => {
  const [min, max] = [wholeNumber(minLength, 1), Math.min(24, wholeNumber(maxLength, 24))];
  if (min === max) return fc.constant("VND".padEnd(min, "X"));
  const letters = fc.string({
    unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz"),
    minLength: Math.max(min, 8),
    maxLength: max,
  });
  return typeof pattern === "string"
    ? letters
    : letters.map((text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`);
};

/** A value that a schema allows: what the document's request bodies use of JSON Schema, and no more. */
const valueFor = (schema: Schema): fc.Arbitrary<unknown> => {
  const { enum: allowed, format, properties, required } = schema;
  // Where several types are allowed, one of them; an object may be empty.
  const type = Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"];
  if (Array.isArray(allowed)) return fc.constantFrom<unknown>(...allowed);
  if (type === "string") return (typeof format === "string" ? FORMATS[format] : undefined) ?? plainText(schema);
  if (type === "integer") return fc.integer({ min: Math.max(1, wholeNumber(schema["minimum"], 1)), max: 1_000_000 });
  if (type === "boolean") return fc.boolean();
  if (type === "object" && properties === undefined) return fc.constant({});
  if (type === "object" && isSchema(properties)) {
    const needed = Array.isArray(required) ? required.filter((name) => typeof name === "string") : [];
    const members = Object.entries(properties).map(
      ([name, each]) => [name, valueFor(isSchema(each) ? each : {})] as const,
    );
    return fc.record(Object.fromEntries(members), { requiredKeys: needed });
  }
  throw new Error(`no values are known for ${JSON.stringify(schema)}`);
};

const WRONG: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  "",
  [],
  {},
  "x".repeat(300),
  "\0",
  "\ud800",
  "zz",
  ["a"],
  { a: 1 },
  1e21,
];

/** What a caller sends to one operation. */
export interface Call {
  readonly operation: DescribedOperation;
  readonly body: unknown;
  /** Whether the body is one by the document. It may still be refused: a schema does not say all. */
  readonly isValid: boolean;
  /** Whether it is a body that an honest client sends. */
  readonly isHonest: boolean;
  readonly token: "right" | "wrong" | "none";
  /** Which of the ids that earlier answers gave; or one that nobody has. */
  readonly id: { readonly kind: "known"; readonly at: number } | { readonly kind: "unknown"; readonly text: string };
  readonly idempotencyKey: string | undefined;
  /** Sent twice, as a client does that has lost an answer. */
  readonly isRepeated: boolean;
}

const changed = (value: unknown, at: number, wrong: unknown, isRemoved: boolean): unknown => {
  if (!isSchema(value)) return wrong;
  const names = Object.keys(value);
  const name = names[at % (names.length + 1)];
  // One beyond the last: the whole.
  if (name === undefined) return wrong;
  const { [name]: _, ...others } = value;
  return isRemoved ? others : { ...others, [name]: wrong };
};

interface Body {
  readonly value: unknown;
  /** By the schema, and as an honest client would send it. */
  readonly isHonest: boolean;
}

const bodyOf = (schema: Schema): fc.Arbitrary<Body> =>
  fc.oneof(
    { weight: 2, arbitrary: valueFor(schema).map((value) => ({ value, isHonest: true })) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(valueFor(schema), fc.nat(9), fc.constantFrom(...WRONG), fc.boolean())
        .map(([value, at, wrong, isRemoved]) => ({ value: changed(value, at, wrong, isRemoved), isHonest: false })),
    },
  );

const NO_BODY: Body = { value: undefined, isHonest: true };

const callOf = (operation: DescribedOperation): fc.Arbitrary<Call> =>
  fc
    .record({
      body: operation.body === undefined ? fc.constant(NO_BODY) : bodyOf(operation.body),
      token: fc.oneof(
        { weight: 6, arbitrary: fc.constant<"right">("right") },
        fc.constantFrom<("wrong" | "none")[]>("wrong", "none"),
      ),
      id: fc.oneof(
        { weight: 4, arbitrary: fc.nat(20).map((at) => ({ kind: "known" as const, at })) },
        {
          weight: 1,
          arbitrary: fc
            .oneof(
              fc.uuid(),
              fc.constantFrom("x", "%00", "%zz", "..%2f", "é", "a".repeat(200), "00000000-0000-0000-0000-000000000000"),
            )
            .map((text) => ({ kind: "unknown" as const, text })),
        },
      ),
      idempotencyKey: fc.option(fc.uuid(), { nil: undefined }),
      isRepeated: fc.boolean(),
    })
    .map(
      ({ body, ...call }): Call => ({
        ...call,
        operation,
        body: body.value,
        isHonest: body.isHonest,
        isValid: operation.isValidBody(body.value),
      }),
    );

/** Sequences of calls; what makes something comes more often, so that there is something to look at. */
export const callsOf = (operations: readonly DescribedOperation[]): fc.Arbitrary<readonly Call[]> =>
  fc.array(
    fc.oneof(
      ...operations.map((operation) => ({
        weight: operation.body === undefined ? 1 : 2,
        arbitrary: callOf(operation),
      })),
    ),
    { minLength: 1, maxLength: 15 },
  );
