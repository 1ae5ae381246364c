import type { Locale } from "../../stream/events/user-signed-up.ts";
import type { ShownState } from "../../stream/groups.ts";

/** What the states of a mail mean to who waits for it. */
export interface StateTexts {
  /** The heading of the page. */
  readonly heading: string;
  readonly title: string;
  readonly states: Readonly<Record<ShownState, string>>;
  /** The same in a few words, for the timeline. */
  readonly steps: Readonly<Record<ShownState, string>>;
}

/** Whether the page may say that an account was made. */
export type Disclosed = "open" | "private";

const STEPS: Readonly<Record<Locale, StateTexts["steps"]>> = {
  vi: {
    queued: "Đã nhận đăng ký",
    active: "Đang xử lý",
    processing: "Đang xử lý",
    sending: "Đang gửi",
    retrying: "Sẽ gửi lại",
    uncertain: "Chưa rõ kết quả",
    held: "Đang tạm giữ",
    done: "Hoàn tất",
    completed: "Hoàn tất",
    sent: "Đã gửi",
    dead: "Gửi thất bại",
    suppressed: "Không gửi",
    cancelled: "Đã hủy",
  },
  en: {
    queued: "Signup received",
    active: "In progress",
    processing: "In progress",
    sending: "Sending",
    retrying: "Will retry",
    uncertain: "Unknown",
    held: "Held",
    done: "Done",
    completed: "Done",
    sent: "Sent",
    dead: "Not sent",
    suppressed: "Not sent",
    cancelled: "Cancelled",
  },
};

const OPEN: Readonly<Record<Locale, StateTexts>> = {
  vi: {
    heading: "Tài khoản của bạn đã được tạo",
    title: "Thư chào mừng",
    steps: STEPS.vi,
    states: {
      queued: "Thư chào mừng đang chờ gửi.",
      active: "Đang được xử lý.",
      processing: "Đang được xử lý.",
      sending: "Thư chào mừng đang được gửi.",
      retrying: "Chưa gửi được thư chào mừng. Hệ thống sẽ tự động gửi lại.",
      uncertain: "Chưa rõ thư đã được gửi hay chưa. Hệ thống đang kiểm tra.",
      held: "Thư đang được tạm giữ, và sẽ được gửi sau hoặc khi có người kiểm tra xong.",
      done: "Đã hoàn tất.",
      completed: "Đã hoàn tất.",
      sent: "Thư chào mừng đã được gửi và máy chủ thư đã nhận.",
      dead: "Không thể gửi thư chào mừng. Tài khoản của bạn vẫn hoạt động bình thường.",
      suppressed:
        "Thư chào mừng không được gửi vì địa chỉ này không nhận được thư. Tài khoản của bạn vẫn hoạt động bình thường.",
      cancelled: "Thư chào mừng đã bị hủy vì tài khoản không còn tồn tại.",
    },
  },
  en: {
    heading: "Your account is ready",
    title: "Welcome mail",
    steps: STEPS.en,
    states: {
      queued: "The welcome mail is waiting to be sent.",
      active: "It is being worked on.",
      processing: "It is being worked on.",
      sending: "The welcome mail is being sent.",
      retrying: "The mail could not be sent yet. It will be retried automatically.",
      uncertain: "It is not yet known whether the mail was sent. We are checking.",
      held: "The mail is on hold. It will be sent later, or once an operator has checked it.",
      done: "It is done.",
      completed: "It is done.",
      sent: "The welcome mail is sent, and the mail server has accepted it.",
      dead: "The welcome mail could not be sent. Your account still works.",
      suppressed: "The mail was not sent because this address does not accept mail. Your account still works.",
      cancelled: "The mail was cancelled because the account no longer exists.",
    },
  },
};

/** Whoever has the address: the same words, which speak of no account and of no kind of mail. */
const PRIVATE: Readonly<Record<Locale, StateTexts>> = {
  vi: {
    heading: "Vui lòng kiểm tra hộp thư",
    title: "Thư của bạn",
    steps: STEPS.vi,
    states: {
      ...OPEN.vi.states,
      queued: "Thư đang chờ gửi.",
      sending: "Thư đang được gửi.",
      retrying: "Chưa gửi được thư. Hệ thống sẽ tự động gửi lại.",
      sent: "Đã gửi xong. Hãy làm theo hướng dẫn trong thư gửi tới địa chỉ này.",
      dead: "Không thể gửi thư đến địa chỉ này.",
      suppressed: "Không thể gửi thư đến địa chỉ này.",
      cancelled: "Thư đã bị hủy.",
    },
  },
  en: {
    heading: "Please check your inbox",
    title: "Your mail",
    steps: STEPS.en,
    states: {
      ...OPEN.en.states,
      queued: "The mail is waiting to be sent.",
      sending: "The mail is being sent.",
      sent: "Done: follow the mail that this address has received.",
      dead: "No mail could be sent to this address.",
      suppressed: "No mail could be sent to this address.",
      cancelled: "The mail was cancelled.",
    },
  },
};

export const STATE_TEXTS = { open: OPEN, private: PRIVATE } as const satisfies Record<Disclosed, unknown>;
