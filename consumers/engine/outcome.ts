/** What became of one try. Handled by exhaustive switches: a new kind does not compile until every place has decided. */
export type Outcome =
  /** The server took the mail. `reply`: its answer, addresses removed. */
  | { readonly kind: "sent"; readonly reply: string; readonly messageId: string }
  /** A working server said "later" of this mail. Uses an attempt. */
  | { readonly kind: "transient"; readonly reason: string; readonly reply?: string; readonly minDelayMs?: number }
  /** The mail system failed, whatever the mail. Counts for the breaker, uses no attempt. */
  | { readonly kind: "system"; readonly reason: string; readonly reply?: string }
  /** The server refused this mail for good. */
  | {
      readonly kind: "permanent";
      readonly reason: string;
      readonly reply?: string;
      readonly suppressAddress: boolean;
      readonly domain?: string;
    }
  /** Cut off after the body may have gone out. Uses an attempt. */
  | { readonly kind: "uncertain"; readonly reason: string }
  /** Given up unharmed, before anything was sent: asked to stop, or the lease was lost. */
  | { readonly kind: "released"; readonly reason: string };
