import type { Locale } from "../../../stream/events/user-signed-up.ts";
import type { LetterWords } from "./letter.tsx";

/**
 * The mail to the owner of an address with which somebody signed up again. It has no link that confirms the address: whoever
 * signs up again may take it for that of their own signup, and confirm the account of somebody who signed up before them. Nor has it
 * one to disown an account: what was not theirs is the signup, and the account would be.
 */
export const NOTICE: Readonly<Record<Locale, LetterWords>> = {
  vi: {
    subject: (brand) => `Có người vừa đăng ký ${brand} bằng địa chỉ email của bạn`,
    preheader: "Tài khoản hiện có của bạn không thay đổi, và không có tài khoản mới nào được tạo.",
    paragraphs: [
      "Địa chỉ email này đã có tài khoản, nên không có tài khoản mới nào được tạo và tài khoản hiện có không thay đổi.",
      "Nếu chính bạn vừa đăng ký, hãy dùng tài khoản bạn đã có. Nếu không phải bạn, bạn không cần làm gì cả.",
    ],
    action: "Đến trang chủ",
    why: (brand) =>
      `Bạn nhận được thư này vì có người vừa đăng ký tài khoản ${brand} bằng địa chỉ email của bạn. Chúng tôi chỉ gửi tối đa một thư như vậy mỗi giờ. Đây là thư tự động, vui lòng không trả lời.`,
  },
  en: {
    subject: (brand) => `Somebody signed up for ${brand} with your email address`,
    preheader: "Your existing account has not changed, and no new one was made.",
    paragraphs: [
      "This address has an account already, so no new one was made, and the existing one has not changed.",
      "If it was you, use the account that you have. If it was not you, there is nothing for you to do.",
    ],
    action: "Go to the home page",
    why: (brand) =>
      `You are receiving this email because somebody signed up for ${brand} with your email address. We send at most one such email an hour. It was sent automatically; please do not reply.`,
  },
};
