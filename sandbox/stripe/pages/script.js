document.querySelectorAll("form[data-once]").forEach((form) => {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    const button = event.submitter;
    if (button && button.dataset.busy) {
      button.setAttribute("aria-busy", "true");
      button.dataset.idle = button.textContent;
      button.textContent = button.dataset.busy;
    }
  });
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-once]").forEach((form) => delete form.dataset.sent);
  document.querySelectorAll("button[aria-busy]").forEach((button) => {
    button.removeAttribute("aria-busy");
    button.textContent = button.dataset.idle;
  });
});
const shapes = {
  number: (digits) => digits.slice(0, 16).replace(/(.{4})(?=.)/g, "$1 "),
  expiry: (digits) => digits.slice(0, 4).replace(/^(..)(?=.)/, "$1 / "),
};
Object.entries(shapes).forEach(([name, shape]) => {
  const input = document.getElementById(name);
  if (!input) return;
  input.addEventListener("input", () => {
    if (input.selectionStart === input.value.length) input.value = shape(input.value.replace(/\D/g, ""));
  });
});
const wrong = document.querySelector("[aria-invalid=true]");
if (wrong) wrong.focus();
