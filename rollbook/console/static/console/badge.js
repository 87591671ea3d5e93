// A badge's or a link's secret stands behind the # of its address, which no server sees: it is put into the form and sent.
const form = document.querySelector("[data-brings-code]");
const code = decodeURIComponent(window.location.hash.slice(1));
if (form && code) {
  window.history.replaceState(null, "", window.location.pathname);
  form.elements.code.value = code;
  form.requestSubmit();
}
