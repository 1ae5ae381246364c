import type { Locale } from "../../../stream/events/user-signed-up.ts";
import type { LetterWords } from "./letter.tsx";

/** The mail that reminds of an address that is not confirmed. */
export const REMINDER: Readonly<Record<Locale, LetterWords>> = {
  vi: {
    subject: (brand) => `Đừng quên xác nhận email cho tài khoản ${brand}`,
    preheader: "Chỉ cần bấm một lần là xong. Nếu bạn không đăng ký tài khoản này, hãy cho chúng tôi biết.",
    paragraphs: ["Bạn đã đăng ký tài khoản nhưng chưa xác nhận địa chỉ email.", "Chỉ cần bấm một lần là xong:"],
    action: "Xác nhận email",
    why: (brand) =>
      `Bạn nhận được thư này vì địa chỉ email của bạn đã được dùng để đăng ký tài khoản ${brand}. Đây là thư tự động, vui lòng không trả lời.`,
    notMe: "Không phải tôi đăng ký",
  },
  en: {
    subject: (brand) => `Please confirm your email address for ${brand}`,
    preheader: "One click is all it takes. If you did not sign up for this account, tell us so.",
    paragraphs: ["You signed up, but your email address is not confirmed yet.", "One click is all it takes:"],
    action: "Confirm email address",
    why: (brand) =>
      `You are receiving this email because this address was used to sign up for ${brand}. It was sent automatically; please do not reply.`,
    notMe: "This wasn't me",
  },
};
