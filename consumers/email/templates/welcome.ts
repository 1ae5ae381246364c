import type { Locale } from "../../../stream/events/user-signed-up.ts";
import type { LetterWords } from "./letter.tsx";

/** The mail that follows a signup. */
export const WELCOME: Readonly<Record<Locale, LetterWords>> = {
  vi: {
    subject: (brand) => `Chào mừng bạn đến với ${brand}!`,
    preheader: "Chỉ còn một bước: xác nhận địa chỉ email, để chúng tôi biết đây đúng là địa chỉ của bạn.",
    paragraphs: ["Cảm ơn bạn đã đăng ký tài khoản.", "Tài khoản của bạn đã sẵn sàng. Vui lòng xác nhận địa chỉ email:"],
    action: "Xác nhận email",
    why: (brand) =>
      `Bạn nhận được thư này vì địa chỉ email của bạn vừa được dùng để đăng ký tài khoản ${brand}. Đây là thư tự động, vui lòng không trả lời.`,
    notMe: "Không phải tôi đăng ký",
  },
  en: {
    subject: (brand) => `Welcome to ${brand}!`,
    preheader: "One step is left: confirm your email address, so that we know that it is yours.",
    paragraphs: ["Thank you for signing up.", "Your account is ready. Please confirm your email address:"],
    action: "Confirm email address",
    why: (brand) =>
      `You are receiving this email because this address was used to sign up for ${brand}. It was sent automatically; please do not reply.`,
    notMe: "This wasn't me",
  },
};
