import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";

/** `h***@example.com`: enough to notice a slip, too little to write to. */
export const maskAddress = (email: string): string => {
  const at = email.lastIndexOf("@");
  return `${[...email].slice(0, 1).join("")}***${email.slice(at)}`;
};

const NAME = "signup_to";
const MASKED = /^[^\s@]\*\*\*@[a-z0-9.-]{1,253}$/;
const KEPT_S = 15 * 60;

/**
 * Remembers, in the browser that signed up and for the page of that signup alone, where its mail goes. The page itself may be shared:
 * whoever else opens its link is shown no address.
 */
export const rememberAddress = (
  c: Context,
  { eventId, email, isSecure }: { readonly eventId: string; readonly email: string; readonly isSecure: boolean },
): void =>
  setCookie(c, NAME, maskAddress(email), {
    path: `/signups/${eventId}`,
    maxAge: KEPT_S,
    httpOnly: true,
    sameSite: "Lax",
    ...(isSecure ? { prefix: "secure", secure: true } : {}),
  });

/** What this browser has typed, masked; undefined: another browser, or too long ago. */
export const rememberedAddress = (c: Context, isSecure: boolean): string | undefined => {
  const value = isSecure ? getCookie(c, NAME, "secure") : getCookie(c, NAME);
  return value !== undefined && MASKED.test(value) ? value : undefined;
};

interface Provider {
  readonly name: string;
  readonly href: string;
}

const GMAIL = { name: "Gmail", href: "https://mail.google.com/mail/" };
const OUTLOOK = { name: "Outlook", href: "https://outlook.live.com/mail/" };
const YAHOO = { name: "Yahoo Mail", href: "https://mail.yahoo.com/" };
const ICLOUD = { name: "iCloud Mail", href: "https://www.icloud.com/mail/" };
const PROTON = { name: "Proton Mail", href: "https://mail.proton.me/" };

const PROVIDERS: ReadonlyMap<string, Provider> = new Map([
  ["gmail.com", GMAIL],
  ["googlemail.com", GMAIL],
  ["outlook.com", OUTLOOK],
  ["outlook.com.vn", OUTLOOK],
  ["hotmail.com", OUTLOOK],
  ["live.com", OUTLOOK],
  ["msn.com", OUTLOOK],
  ["yahoo.com", YAHOO],
  ["yahoo.com.vn", YAHOO],
  ["ymail.com", YAHOO],
  ["icloud.com", ICLOUD],
  ["me.com", ICLOUD],
  ["proton.me", PROTON],
  ["protonmail.com", PROTON],
]);

/** Where the mail of an address is read, if its domain says so. */
export const providerOf = (address: string): Provider | undefined =>
  PROVIDERS.get(address.slice(address.lastIndexOf("@") + 1).toLowerCase());
