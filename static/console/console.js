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

  // A part that refreshes itself keeps still while a dialog is open, its text is selected, or nobody looks at the page.
  const isHeld = (part) => {
    const selection = getSelection();
    const isSelected = selection.type === "Range" && part.contains(selection.anchorNode);
    return document.hidden || isSelected || document.querySelector(":popover-open") !== null;
  };
  const refreshesItself = (element) => element.matches("[data-live]");
  let hadFocus = false;

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
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt } = event.detail;
    if (refreshesItself(elt) && isHeld(elt)) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, requestConfig } = event.detail;
    if (refreshesItself(requestConfig.elt) && isHeld(requestConfig.elt)) event.detail.shouldSwap = false;
    const part = target.closest("[data-live]");
    hadFocus = part !== null && part.contains(document.activeElement);
  });
  // htmx gives the focus back by id. What has gone cannot take it: then the part names what does.
  document.addEventListener("htmx:afterSettle", (event) => {
    const part = event.detail.elt.closest("[data-live]");
    if (part && hadFocus && document.activeElement === document.body) document.getElementById(part.dataset.live).focus();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const { target } = event.detail;
    if (target.matches("[popover]:not(:popover-open)")) target.showPopover();
  });
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    notify(status === 403 ? "Your session has ended or you may not do this. Reload the page." : "That did not work. Try again.");
  });
  document.addEventListener("htmx:sendError", () => notify("The server cannot be reached. Check your connection."));
})();
