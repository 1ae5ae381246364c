import type { Locale } from "../../../stream/events/user-signed-up.ts";
import type { LetterWords } from "./letter.tsx";

/** The mail that follows a signup. */
export const WELCOME: Readonly<Record<Locale, LetterWords>> = {
  vi: {
    subject: (name, brand) => `Chào mừng ${name} đến với ${brand}!`,
    paragraphs: [
      "Cảm ơn bạn đã đăng ký tài khoản.",
      "Tài khoản của bạn đã sẵn sàng. Vui lòng xác nhận địa chỉ email của bạn:",
    ],
    action: "Xác nhận email",
    why: (brand) =>
      `Bạn nhận được thư này vì địa chỉ email của bạn vừa được dùng để đăng ký tài khoản ${brand}. Nếu không phải bạn đăng ký, vui lòng bỏ qua thư này. Đây là thư tự động, vui lòng không trả lời.`,
  },
  en: {
    subject: (name, brand) => `Welcome to ${brand}, ${name}!`,
    paragraphs: ["Thank you for signing up.", "Your account is ready. Please confirm your email address:"],
    action: "Confirm email address",
    why: (brand) =>
      `You are receiving this email because this address was used to sign up for ${brand}. If that was not you, please ignore it. It was sent automatically; please do not reply.`,
  },
};
