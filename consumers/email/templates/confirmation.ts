import type { Locale } from "../../../stream/events/user-signed-up.ts";
import type { LetterWords } from "./letter.tsx";

/** The mail to somebody who asked for another link. */
export const CONFIRMATION: Readonly<Record<Locale, LetterWords>> = {
  vi: {
    subject: (name, brand) => `${name}, xác nhận email cho tài khoản ${brand}`,
    paragraphs: ["Bạn vừa yêu cầu gửi lại liên kết xác nhận địa chỉ email."],
    action: "Xác nhận email",
    why: (brand) =>
      `Bạn nhận được thư này vì có người yêu cầu gửi lại liên kết xác nhận cho tài khoản ${brand} dùng địa chỉ email này. Nếu không phải bạn, vui lòng bỏ qua thư này. Đây là thư tự động, vui lòng không trả lời.`,
  },
  en: {
    subject: (name, brand) => `${name}, confirm your email address for ${brand}`,
    paragraphs: ["You asked for another link to confirm your email address."],
    action: "Confirm email address",
    why: (brand) =>
      `You are receiving this email because another link was requested for the ${brand} account with this address. If that was not you, please ignore it. It was sent automatically; please do not reply.`,
  },
};
