import type { Locale } from "../../../stream/events/user-signed-up.ts";
import type { LetterWords } from "./letter.tsx";

/** The mail to somebody who asked for another link. */
export const CONFIRMATION: Readonly<Record<Locale, LetterWords>> = {
  vi: {
    subject: (brand) => `Liên kết xác nhận email cho tài khoản ${brand}`,
    preheader: "Đây là liên kết mới để xác nhận địa chỉ email. Nếu bạn không yêu cầu, hãy cho chúng tôi biết.",
    paragraphs: ["Bạn vừa yêu cầu gửi lại liên kết xác nhận địa chỉ email."],
    action: "Xác nhận email",
    why: (brand) =>
      `Bạn nhận được thư này vì có người yêu cầu gửi lại liên kết xác nhận cho tài khoản ${brand} dùng địa chỉ email này. Đây là thư tự động, vui lòng không trả lời.`,
    notMe: "Không phải tôi yêu cầu",
  },
  en: {
    subject: (brand) => `Your link to confirm your email address for ${brand}`,
    preheader: "Here is a new link to confirm your email address. If you did not ask for it, tell us so.",
    paragraphs: ["You asked for another link to confirm your email address."],
    action: "Confirm email address",
    why: (brand) =>
      `You are receiving this email because another link was requested for the ${brand} account with this address. It was sent automatically; please do not reply.`,
    notMe: "This wasn't me",
  },
};
