// What pages do beyond plain HTML. Everything works without it.

const announce = (text) => {
  const region = document.getElementById("announce");
  if (!region) return;
  region.textContent = "";
  requestAnimationFrame(() => { region.textContent = text; });
};

// Copy buttons: shown only where there is a script to serve them.
const select = (node) => {
  const range = document.createRange();
  range.selectNodeContents(node);
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
};

const copy = async (button) => {
  const source = document.getElementById(button.dataset.copy);
  if (!source) return;
  const label = button.dataset.label ??= button.textContent;
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
    button.textContent = "Copied";
    announce("Copied");
  } catch {
    select(source);
    button.textContent = "Selected: copy with the keyboard";
    announce("Selected. Copy it with the keyboard.");
  }
  clearTimeout(button.timer);
  button.timer = setTimeout(() => { button.textContent = label; }, 2500);
};

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}

// Theme: switched at once; the server keeps the choice in a cookie.
const switchTheme = (form, chosen) => {
  document.documentElement.dataset.theme = chosen.value;
  const scheme = document.querySelector("meta[name=color-scheme]");
  if (scheme) scheme.content = chosen.value === "system" ? "light dark" : chosen.value;
  for (const button of form.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button === chosen));
  }
  const body = new URLSearchParams(new FormData(form, chosen));
  fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => {});
};

// Forms: the theme switch stays on the page, all others are sent once.
const release = (form) => form.removeAttribute("aria-busy");

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.hasAttribute("data-theme-switch") && event.submitter) {
    event.preventDefault();
    switchTheme(form, event.submitter);
  } else if (form.getAttribute("aria-busy") === "true") {
    event.preventDefault();
  } else {
    form.setAttribute("aria-busy", "true");
    // A download answers without leaving the page.
    setTimeout(release, 4000, form);
  }
});

addEventListener("pageshow", () => {
  document.querySelectorAll("form[aria-busy]").forEach(release);
});

// Dates: the same steps and words as src/dates.rs, kept fresh; the tooltip in the viewer's own zone.
const steps = [["minute", 60], ["hour", 3600], ["day", 86400], ["month", 2592000], ["year", 31536000]];

const relative = (seconds) => {
  const size = Math.abs(seconds);
  const step = steps.findLast(([, length]) => size >= length);
  if (!step) return "just now";
  const count = Math.floor(size / step[1]);
  const words = `${count} ${step[0]}${count === 1 ? "" : "s"}`;
  return seconds < 0 ? `${words} ago` : `in ${words}`;
};

const refresh = () => {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const words = relative(Math.trunc((Date.parse(time.dateTime) - Date.now()) / 1000));
    if (time.textContent !== words) time.textContent = words;
  }
};

const zoned = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short",
});
for (const time of document.querySelectorAll("time[title]")) {
  time.title = zoned.format(Date.parse(time.dateTime));
}
setInterval(refresh, 30000);
addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });

// A link to one kit opens what it leads to.
const reveal = () => {
  const target = document.getElementById(location.hash.slice(1));
  target?.querySelector("details")?.setAttribute("open", "");
};
addEventListener("hashchange", reveal);
reveal();
