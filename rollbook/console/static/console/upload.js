// Uploading with a bar, and by dragging. Without scripts the form does the same, without a bar.

const form = document.getElementById("upload");
const field = document.getElementById("package");
const drop = form.querySelector("[data-drop]");
const bar = form.querySelector("[data-bar]");
const far = form.querySelector("[data-far]");
const wrong = document.getElementById("wrong");
const send = form.querySelector("button[type=submit]");
const region = document.getElementById("said");
let told = 0;

function complain(words) {
  bar.hidden = true;
  send.disabled = false;
  wrong.querySelector("[data-words]").textContent = words;
  wrong.hidden = false;
  wrong.scrollIntoView({ block: "nearest" });
}

function tooLarge() {
  const file = field.files[0];
  return file !== undefined && file.size > Number(form.dataset.limit);
}

function show(percent) {
  bar.querySelector("progress").value = percent;
  far.textContent = percent < 100 ? form.dataset.underWay.replace("%s", percent) : form.dataset.kept;
  // Aloud only now and then: a voice that counts to a hundred says nothing.
  if (percent === 100 || percent >= told + 25) {
    told = percent;
    region.textContent = far.textContent;
  }
}

function answered(request) {
  let said = {};
  try {
    said = JSON.parse(request.responseText);
  } catch {
    // Not ours: a proxy's page, for example.
  }
  if (said.to) window.location.assign(said.to);
  else if (request.status === 413) complain(said.wrong || form.dataset.tooLarge);
  else complain(said.wrong || form.dataset.broken);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (tooLarge()) {
    complain(form.dataset.tooLarge);
    return;
  }
  const request = new XMLHttpRequest();
  request.open("POST", form.action || window.location.href);
  request.setRequestHeader("Accept", "application/json");
  request.upload.addEventListener("progress", (now) => {
    if (now.lengthComputable) show(Math.floor((now.loaded / now.total) * 100));
  });
  request.addEventListener("load", () => answered(request));
  request.addEventListener("error", () => complain(form.dataset.broken));
  request.addEventListener("abort", () => complain(form.dataset.stopped));
  bar.querySelector("[data-stop]").onclick = () => request.abort();
  wrong.hidden = true;
  bar.hidden = false;
  send.disabled = true;
  told = 0;
  show(0);
  request.send(new FormData(form));
});

field.addEventListener("change", () => {
  if (tooLarge()) complain(form.dataset.tooLarge);
  else wrong.hidden = true;
});

for (const kind of ["dragenter", "dragover"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("is-over");
  });
}
for (const kind of ["dragleave", "drop"]) {
  drop.addEventListener(kind, () => drop.classList.remove("is-over"));
}
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length === 0) return;
  field.files = event.dataTransfer.files;
  field.dispatchEvent(new Event("change"));
  field.focus();
});
