// What pages gain where scripts run: the menu on small screens, the choice of light or dark, Copy buttons,
// the tab of this page in sight where there are more tabs than room. Everything else works without.

const said = () => document.getElementById("said");

function say(words) {
  const region = said();
  region.textContent = "";
  window.setTimeout(() => {
    region.textContent = words;
  }, 50);
}

async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Over plain http on a local network there is no clipboard object; a selected field still copies.
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await copy(button.dataset.copy);
  say(button.dataset.copied);
  const label = button.querySelector("[data-label]");
  button.classList.add("is-copied");
  label.textContent = button.dataset.copied;
  window.setTimeout(() => {
    button.classList.remove("is-copied");
    label.textContent = button.dataset.words;
  }, 2500);
});

const menu = document.getElementById("menu-button");
menu?.addEventListener("click", () => {
  const open = menu.getAttribute("aria-expanded") !== "true";
  menu.setAttribute("aria-expanded", String(open));
  document.getElementById("menu").classList.toggle("is-open", open);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && menu?.getAttribute("aria-expanded") === "true") {
    menu.click();
    menu.focus();
  }
});

const theme = document.getElementById("theme");
if (theme) {
  theme.value = window.rollbookTheme.chosen();
  theme.addEventListener("change", () => window.rollbookTheme.choose(theme.value));
}

// Only the row of tabs is moved, never the page.
const tab = document.querySelector(".tabs a[aria-current]");
if (tab) {
  const row = tab.closest(".tabs");
  row.scrollLeft += tab.getBoundingClientRect().right - row.getBoundingClientRect().right + tab.offsetWidth;
  row.addEventListener("focusin", ({ target }) => {
    const [at, seen] = [target, row].map((one) => one.getBoundingClientRect());
    row.scrollLeft += Math.max(0, at.right - seen.right) + Math.min(0, at.left - seen.left);
  });
}
