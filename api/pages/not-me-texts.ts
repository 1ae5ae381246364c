import type { Locale } from "../../stream/events/user-signed-up.ts";
import type { DisownState } from "../disowning/disown-account.ts";

/** The texts of the page for somebody who did not sign up. */
export interface NotMeTexts {
  readonly states: Readonly<Record<DisownState, { readonly title: string; readonly text: string }>>;
  readonly submit: string;
}

export const NOT_ME_TEXTS: Readonly<Record<Locale, NotMeTexts>> = {
  vi: {
    submit: "Không phải tôi, đừng gửi thư nữa",
    states: {
      open: {
        title: "Bạn không đăng ký tài khoản này?",
        text: "Nếu có người đã dùng địa chỉ email của bạn, hãy bấm nút bên dưới. Chúng tôi sẽ không gửi thư đến địa chỉ này nữa, và tài khoản sẽ được đánh dấu.",
      },
      disowned: {
        title: "Cảm ơn bạn đã cho biết",
        text: "Chúng tôi sẽ không gửi thư đến địa chỉ này nữa, và tài khoản đã được đánh dấu. Bạn không cần làm gì thêm.",
      },
      disowned_before: {
        title: "Bạn đã báo trước đó",
        text: "Chúng tôi đã ghi nhận và không gửi thư đến địa chỉ này nữa. Bạn không cần làm gì thêm.",
      },
      expired: {
        title: "Liên kết không còn hiệu lực",
        text: "Liên kết này đã hết hạn, hoặc tài khoản không còn nữa.",
      },
      invalid: {
        title: "Liên kết không hợp lệ",
        text: "Có thể liên kết bị sao chép thiếu. Vui lòng mở lại liên kết trong thư.",
      },
    },
  },
  en: {
    submit: "This wasn't me, send no more mail",
    states: {
      open: {
        title: "You did not sign up?",
        text: "If somebody else has used your email address, press the button. We will send no more mail to this address, and mark the account.",
      },
      disowned: {
        title: "Thank you for telling us",
        text: "We will send no more mail to this address, and the account is marked. There is nothing left to do.",
      },
      disowned_before: {
        title: "You told us before",
        text: "We know, and send no more mail to this address. There is nothing left to do.",
      },
      expired: {
        title: "This link no longer works",
        text: "The link has expired, or the account is gone.",
      },
      invalid: {
        title: "This link is not valid",
        text: "It may have been copied incompletely. Please open the link in the email again.",
      },
    },
  },
};
