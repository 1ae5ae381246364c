import { nameOf } from "../objects.ts";
import { type Policy, unless } from "./policy.ts";

/** `kubectl apply` keeps the whole object in an annotation of it, and annotations end at 256 KiB. */
const MAX_BYTES = 250_000;

/** Every object is small enough to be applied. */
export const size: Policy = (objects) =>
  objects.flatMap((object) =>
    unless(nameOf(object), [Buffer.byteLength(JSON.stringify(object)) < MAX_BYTES, "is too large to be applied"]),
  );
