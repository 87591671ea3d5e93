// Mapping with the mouse: a school is dragged onto a site. It ticks what the form has, and sends it as its button does.

const form = document.getElementById("map-schools");
const button = form?.querySelector("[data-map]");

if (form && button) {
  let dragged = null;
  for (const item of form.querySelectorAll("[data-from] > li")) {
    item.draggable = true;
    item.addEventListener("dragstart", (event) => {
      dragged = item;
      event.dataTransfer.effectAllowed = "link";
      event.dataTransfer.setData("text/plain", item.querySelector("b").textContent);
    });
    item.addEventListener("dragend", () => {
      dragged = null;
    });
  }
  for (const item of form.querySelectorAll("[data-to] > li")) {
    item.addEventListener("dragover", (event) => {
      if (!dragged) return;
      event.preventDefault();
      item.classList.add("is-over");
    });
    item.addEventListener("dragleave", () => item.classList.remove("is-over"));
    item.addEventListener("drop", (event) => {
      event.preventDefault();
      item.classList.remove("is-over");
      if (!dragged) return;
      dragged.querySelector("input[type=checkbox]").checked = true;
      item.querySelector("input[type=radio]").checked = true;
      form.requestSubmit(button);
    });
  }
}
