import ipaddr from "ipaddr.js";
import { z } from "zod";

/** A network: its address, and how many bits of it count. */
export type Network = ReturnType<typeof ipaddr.parseCIDR>;

/** `10.0.0.0/8`, or a single address. */
const toNetwork = (word: string): Network | undefined => {
  if (ipaddr.isValidCIDR(word)) return ipaddr.parseCIDR(word);
  if (!ipaddr.isValid(word)) return undefined;
  const address = ipaddr.parse(word);
  return [address, address.kind() === "ipv4" ? 32 : 128];
};

/** Networks and addresses, separated by commas or spaces. */
export const networks: z.ZodType<readonly Network[], string> = z.string().transform((value, { addIssue }) =>
  value
    .split(/[\s,]+/)
    .filter((word) => word !== "")
    .flatMap((word) => {
      const network = toNetwork(word);
      if (network === undefined) addIssue(`${JSON.stringify(word)} is no network, expected one like 10.0.0.0/8 or ::1`);
      return network === undefined ? [] : [network];
    }),
);
