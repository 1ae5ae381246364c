import { YAHOO_DOMAINS } from "../../runtime/mailbox.ts";

/**
 * Domains of providers with millions of mailboxes: that many people sign up with one of them says nothing, and no number of
 * ours would be much to them. Each mailbox still has its own limit.
 */
const LARGE_PROVIDERS: ReadonlySet<string> = new Set([
  ...["gmail.com", "icloud.com", "proton.me", "aol.com", "zoho.com", "mail.com", "tuta.com", "tutanota.com"],
  ...["outlook.com", "hotmail.com", "live.com", "msn.com", "outlook.com.vn", "outlook.fr", "outlook.de", "hotmail.fr"],
  ...["hotmail.co.uk", "hotmail.de", "hotmail.it", "hotmail.es", "live.co.uk", "live.fr", "windowslive.com"],
  ...YAHOO_DOMAINS,
  "yahoo.co.jp",
  ...["fastmail.com", "gmx.com", "gmx.net", "gmx.de", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de"],
  ...["yandex.com", "mail.ru", "bk.ru", "inbox.ru", "list.ru", "rambler.ru"],
  ...["qq.com", "163.com", "126.com", "sina.com", "foxmail.com", "naver.com", "daum.net", "hanmail.net"],
  ...["orange.fr", "free.fr", "sfr.fr", "laposte.net", "wanadoo.fr", "libero.it", "virgilio.it", "tiscali.it"],
  ...["comcast.net", "verizon.net", "att.net", "sbcglobal.net", "btinternet.com", "uol.com.br", "bol.com.br"],
  ...["seznam.cz", "wp.pl", "o2.pl", "onet.pl", "interia.pl", "rediffmail.com", "vnn.vn", "fpt.vn"],
]);

/** Whether a domain, as `mailDomain` names it, is one of them. */
export const isLargeProvider = (domain: string): boolean => LARGE_PROVIDERS.has(domain);
