// Forms with data-passkey: the browser makes or shows a passkey when their button is pressed, and the form is sent with what it gave.
// What is asked of it stands in #js_data, or is fetched from where the form goes. The ceremony itself is allauth's.

const forms = window.allauth.webauthn.forms;

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button");
  const ids = { credential: form.elements.credential.id, data: "js_data" };
  const kind = form.dataset.passkey;
  if (kind === "login") forms.loginForm({ ids: { ...ids, login: button.id } });
  if (kind === "show") forms.authenticateForm({ ids: { ...ids, authenticate: button.id } });
  if (kind === "add") forms.addForm({ ids: { ...ids, add: button.id, passwordless: form.elements.passwordless.id } });
  button.addEventListener("click", () => told(form, true));
}

// Whoever closed the browser's own question, or has no passkey here, reads it on the page.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  for (const form of document.querySelectorAll("form[data-passkey]")) told(form, false);
});

function told(form, isWell) {
  form.querySelector(".passkey-wrong").hidden = isWell;
}
