import type { Locale } from "../../../stream/events/user-signed-up.ts";
import type { LetterWords } from "./letter.tsx";

/** The mail that reminds of an address that is not confirmed. */
export const REMINDER: Readonly<Record<Locale, LetterWords>> = {
  vi: {
    subject: (name, brand) => `${name}, bạn chưa xác nhận email cho tài khoản ${brand}`,
    paragraphs: ["Bạn đã đăng ký tài khoản nhưng chưa xác nhận địa chỉ email.", "Chỉ cần một lần bấm là xong:"],
    action: "Xác nhận email",
    why: (brand) =>
      `Bạn nhận được thư này vì địa chỉ email của bạn đã được dùng để đăng ký tài khoản ${brand}. Nếu không phải bạn đăng ký, vui lòng bỏ qua thư này. Đây là thư tự động, vui lòng không trả lời.`,
  },
  en: {
    subject: (name, brand) => `${name}, please confirm your email address for ${brand}`,
    paragraphs: ["You signed up, but your email address is not confirmed yet.", "One click is all it takes:"],
    action: "Confirm email address",
    why: (brand) =>
      `You are receiving this email because this address was used to sign up for ${brand}. If that was not you, please ignore it. It was sent automatically; please do not reply.`,
  },
};
