import type { Redis } from "ioredis";

/** Whether a group's consumers may ask a system now, and how often they have asked it in vain, as far as is known. */
export type ProbePermit =
  | { readonly kind: "given" }
  | { readonly kind: "refused"; readonly asked: number; readonly forMs: number };

/** Takes the permit for a question, after so many that were refused; then nobody gets one for `forMs` (SET NX PX, GET, PTTL). */
export const takeProbe = async (
  redis: Redis,
  key: string,
  { asked, forMs }: { readonly asked: number; readonly forMs: number },
): Promise<ProbePermit> => {
  if ((await redis.set(key, asked, "PX", Math.ceil(forMs), "NX")) === "OK") return { kind: "given" };
  const [known, leftMs] = await Promise.all([redis.get(key), redis.pttl(key)]);
  return { kind: "refused", asked: Number(known ?? 0), forMs: Math.max(1, leftMs) };
};

/** Nobody gets a permit for `forMs` from now on, after so many questions that were refused (SET PX). */
export const keepProbe = async (
  redis: Redis,
  key: string,
  { asked, forMs }: { readonly asked: number; readonly forMs: number },
): Promise<void> => {
  await redis.set(key, asked, "PX", Math.ceil(forMs));
};

/** The system works: everybody may ask (DEL). */
export const forgetProbes = async (redis: Redis, key: string): Promise<void> => {
  await redis.del(key);
};
