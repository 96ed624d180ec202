/** What is sent to the endpoint. */
export interface Feedback {
  rating: number | null;
  message: string;
  page: string;
  sentAt: string;
}

const english = {
  open: "Feedback",
  title: "What do you think?",
  rating: "Rating",
  message: "Your message",
  send: "Send",
  close: "Close",
  thanks: "Thank you!",
  failed: "That could not be sent. Please try again.",
};

export type Texts = typeof english;

export interface Options {
  endpoint: string;
  parent?: HTMLElement;
  maxLength?: number;
  texts?: Partial<Texts>;
  send?: (feedback: Feedback) => Promise<void>;
}

let mounted = 0;

/** Adds the button to the page; the returned function removes it again. */
export function mountFeedback(options: Options): () => void {
  const texts: Texts = { ...english, ...options.texts };
  const send = options.send ?? ((feedback: Feedback) => post(options.endpoint, feedback));
  const titleId = `feedback-title-${++mounted}`;

  const status = element("p", { className: "feedback-status" });
  status.setAttribute("role", "status");
  const message = element("textarea", { required: true, rows: 5, maxLength: options.maxLength ?? 2000 });
  const stars = [1, 2, 3, 4, 5].map((value) =>
    element("input", { type: "radio", name: "rating", value: String(value) }),
  );
  const submit = element("button", { type: "submit", className: "feedback-send", textContent: texts.send });
  const close = element("button", { type: "button", textContent: texts.close });
  const form = element("form", { className: "feedback-form" }, [
    element("h2", { id: titleId, textContent: texts.title }),
    element("fieldset", {}, [
      element("legend", { textContent: texts.rating }),
      ...stars.map((star) => element("label", {}, [star, star.value])),
    ]),
    element("label", {}, [texts.message, message]),
    status,
    element("div", { className: "feedback-actions" }, [close, submit]),
  ]);
  const dialog = element("dialog", { className: "feedback-dialog" }, [form]);
  dialog.setAttribute("aria-labelledby", titleId);
  const open = element("button", { type: "button", className: "feedback-open", textContent: texts.open });

  open.addEventListener("click", () => {
    status.textContent = "";
    dialog.showModal();
    message.focus();
  });
  close.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    status.textContent = "";
    const rating = stars.find((star) => star.checked);
    try {
      await send({
        rating: rating ? Number(rating.value) : null,
        message: message.value.trim(),
        page: location.href,
        sentAt: new Date().toISOString(),
      });
      form.reset();
      status.textContent = texts.thanks;
    } catch {
      // The text stays in the form, so that nothing has to be typed again.
      status.textContent = texts.failed;
    } finally {
      submit.disabled = false;
    }
  });

  const parent = options.parent ?? document.body;
  parent.append(open, dialog);
  return () => {
    open.remove();
    dialog.remove();
  };
}

async function post(endpoint: string, feedback: Feedback): Promise<void> {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(feedback),
  });
  if (!response.ok) throw new Error(`feedback was answered with ${response.status}`);
}

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
  children: (Node | string)[] = [],
): HTMLElementTagNameMap[K] {
  const created = Object.assign(document.createElement(tag), properties);
  created.append(...children);
  return created;
}
