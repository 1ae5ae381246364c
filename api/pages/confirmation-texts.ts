import type { Locale } from "../../stream/events/user-signed-up.ts";
import type { LinkState } from "../confirmation/confirm-address.ts";

/** A heading and what it means to the person who followed the link. */
interface Said {
  readonly title: string;
  readonly text: string;
}

/** The texts of the pages that confirm an address. */
export interface ConfirmationTexts {
  readonly states: Readonly<Record<LinkState, Said>>;
  readonly submit: string;
  /** The link to the page that asks for another mail. */
  readonly askAgain: string;
  readonly resendTitle: string;
  readonly resendLead: string;
  readonly resendSubmit: string;
  readonly resent: Said;
}

export const CONFIRMATION_TEXTS: Readonly<Record<Locale, ConfirmationTexts>> = {
  vi: {
    submit: "Xác nhận email",
    askAgain: "Gửi lại thư xác nhận",
    resendTitle: "Gửi lại thư xác nhận",
    resendLead: "Nhập địa chỉ email bạn đã dùng để đăng ký.",
    resendSubmit: "Gửi thư",
    resent: {
      title: "Vui lòng kiểm tra hộp thư",
      text: "Nếu địa chỉ này thuộc về một tài khoản chưa xác nhận email, bạn sẽ sớm nhận được thư. Mỗi phút chỉ gửi được một thư, mỗi ngày tối đa năm thư.",
    },
    states: {
      open: {
        title: "Xác nhận địa chỉ email",
        text: "Bấm nút bên dưới để xác nhận đây là địa chỉ email của bạn.",
      },
      confirmed: {
        title: "Đã xác nhận email",
        text: "Cảm ơn bạn. Địa chỉ email của bạn đã được xác nhận.",
      },
      confirmed_before: {
        title: "Email đã được xác nhận trước đó",
        text: "Địa chỉ email này đã được xác nhận. Bạn không cần làm gì thêm.",
      },
      expired: {
        title: "Liên kết không còn hiệu lực",
        text: "Liên kết xác nhận này đã hết hạn hoặc không dùng được nữa.",
      },
      invalid: {
        title: "Liên kết không hợp lệ",
        text: "Có thể liên kết bị sao chép thiếu. Vui lòng mở lại liên kết trong thư.",
      },
    },
  },
  en: {
    submit: "Confirm email address",
    askAgain: "Send the email again",
    resendTitle: "Send the confirmation email again",
    resendLead: "Enter the email address with which you signed up.",
    resendSubmit: "Send",
    resent: {
      title: "Please check your inbox",
      text: "If this address belongs to an account that is not confirmed, an email is on its way. We send at most one a minute and five a day.",
    },
    states: {
      open: {
        title: "Confirm your email address",
        text: "Press the button to confirm that this is your email address.",
      },
      confirmed: {
        title: "Email address confirmed",
        text: "Thank you. Your email address is confirmed.",
      },
      confirmed_before: {
        title: "Already confirmed",
        text: "This email address was confirmed before. There is nothing left to do.",
      },
      expired: {
        title: "This link no longer works",
        text: "The link has expired or can no longer be used.",
      },
      invalid: {
        title: "This link is not valid",
        text: "It may have been copied incompletely. Please open the link in the email again.",
      },
    },
  },
};
