/** What a scaler reports to KEDA about one trigger. */
export type Measurement =
  | { readonly kind: "value"; readonly value: number; readonly target: number; readonly isActive: boolean }
  | { readonly kind: "error"; readonly message: string }
  /** KEDA could not even connect: it builds the scalers of all triggers or none, so the others are not measured either. */
  | { readonly kind: "unreachable" };

/** A number of a trigger's metadata, or KEDA's default for it. */
export const numberOf = (metadata: Readonly<Record<string, string>>, key: string, fallback: number): number =>
  metadata[key] === undefined ? fallback : Number(metadata[key]);

export const failed = (error: unknown): Measurement => ({
  kind: "error",
  message: error instanceof Error ? error.message : String(error),
});
