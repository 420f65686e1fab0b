// Small conveniences over pages that work without them. No inline handlers: the content security policy forbids those.
(() => {
  "use strict";

  const closeMenus = (except) => {
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      if (menu !== except) menu.open = false;
    });
  };

  const notify = (text) => {
    const box = document.createElement("div");
    box.className = "alert shadow-lg";
    box.dataset.variant = "destructive";
    box.textContent = text;
    document.getElementById("notices").replaceChildren(box);
  };

  const copy = async (button) => {
    const label = button.querySelector("span");
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      label.textContent = "Copied";
    } catch {
      label.textContent = "Select and copy by hand";
    }
    setTimeout(() => { label.textContent = "Copy"; }, 2500);
  };

  // Copy buttons need a script, so only a script shows them.
  const showCopyButtons = () => {
    document.querySelectorAll("[data-copy][hidden]").forEach((button) => { button.hidden = false; });
  };

  document.addEventListener("click", (event) => {
    closeMenus(event.target.closest("details[data-menu]"));
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.activeElement && document.activeElement.closest("details[data-menu][open]");
    closeMenus(null);
    if (open) open.querySelector("summary").focus();
  });

  document.addEventListener("DOMContentLoaded", showCopyButtons);
  document.addEventListener("htmx:afterSwap", showCopyButtons);
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    notify(status === 403 ? "Your session has ended or you may not do this. Reload the page." : "That did not work. Try again.");
  });
  document.addEventListener("htmx:sendError", () => notify("The server cannot be reached. Check your connection."));
})();
