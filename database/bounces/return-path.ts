import { timingSafeEqual } from "node:crypto";
import { hmacSha256 } from "../../runtime/hmac.ts";

/** The delivery that an address for bounces names. */
export interface DeliveryName {
  readonly eventId: string;
  readonly group: string;
}

const ID_BYTES = 16;
const MAC_BYTES = 9;
const TOKEN = /\+([0-9a-v]{40})@/gi;
/** Of one report. Each costs a digest for each group. */
const MAX_TOKENS = 20;

const macOf = (key: Buffer, id: Buffer, group: string): Buffer =>
  hmacSha256(key, "return-path:", id, group).subarray(0, MAC_BYTES);

const toUuid = (id: Buffer): string =>
  id.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

const toBytes = (token: string): Buffer => {
  const value = [...token].reduce((sum, digit) => sum * 32n + BigInt(Number.parseInt(digit, 32)), 0n);
  return Buffer.from(value.toString(16).padStart(2 * (ID_BYTES + MAC_BYTES), "0"), "hex");
};

/**
 * The address to which a mail server returns what it cannot deliver: `address` with a token of the delivery, signed, so that
 * a bounce of it cannot be made up by somebody who never got the mail. The token has 40 characters, of which case does not
 * matter: the event's id, and a digest over it and the group, which is found again by it.
 */
export const returnPath = (key: Buffer, address: string, { eventId, group }: DeliveryName): string => {
  const id = Buffer.from(eventId.replaceAll("-", ""), "hex");
  const hex = Buffer.concat([id, macOf(key, id, group)]).toString("hex");
  const at = address.lastIndexOf("@");
  return `${address.slice(0, at)}+${BigInt(`0x${hex}`).toString(32).padStart(40, "0")}${address.slice(at)}`;
};

/**
 * The delivery that the first valid token of a text names. A token proves itself, wherever it stands: in a report's own
 * headers, in those of the mail that came back, or in a field of a provider.
 */
export const findReturnPath = (key: Buffer, text: string, groups: readonly string[]): DeliveryName | undefined => {
  const tokens = new Set(
    text
      .matchAll(TOKEN)
      .map(([, token = ""]) => token.toLowerCase())
      .take(MAX_TOKENS),
  );
  for (const token of tokens) {
    const bytes = toBytes(token);
    const id = bytes.subarray(0, ID_BYTES);
    const mac = bytes.subarray(ID_BYTES);
    const group = groups.find((name) => timingSafeEqual(mac, macOf(key, id, name)));
    if (group !== undefined) return { eventId: toUuid(id), group };
  }
  return undefined;
};
