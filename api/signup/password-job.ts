/** What is asked of a worker. `memoryKib` and `passes` are argon2id's cost (RFC 9106). */
export type HashJob =
  | { readonly kind: "hash"; readonly password: string; readonly memoryKib: number; readonly passes: number }
  | { readonly kind: "verify"; readonly password: string; readonly hash: string };

/** What it answers. */
export type HashResult =
  | { readonly kind: "hash"; readonly hash: string }
  | { readonly kind: "verify"; readonly matches: boolean }
  | { readonly kind: "failed"; readonly message: string };
