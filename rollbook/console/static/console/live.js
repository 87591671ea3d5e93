// Keeps the page of a sync up to date while it runs: by a stream of events, and where there is none by asking again.
// The server ends each stream after a while, and the browser opens the next by itself.

const place = document.getElementById("run-now");
const POLL = 2000;

function settle() {
  const now = place.querySelector("[data-step]");
  if (!now) return;
  const step = document.querySelector("#step strong");
  // What is said aloud is written only when it is another than was said.
  if (step.textContent !== now.dataset.step) step.textContent = now.dataset.step;
  const still = document.getElementById("still");
  const isStill = "still" in now.dataset;
  if (still.hidden === isStill) still.hidden = !isStill;
  const cancel = document.getElementById("cancel-run");
  if (cancel) cancel.hidden = "ending" in now.dataset;
}

function poll() {
  window.setInterval(() => {
    place.dispatchEvent(new CustomEvent("look"));
  }, POLL);
}

function listen() {
  const source = new EventSource(place.dataset.stream);
  source.addEventListener("now", (event) => {
    place.innerHTML = event.data;
    settle();
  });
  source.addEventListener("over", () => {
    source.close();
    window.location.reload();
  });
  source.addEventListener("error", () => {
    // While it is connecting again all is well; a stream that is closed was refused, and comes back no more.
    if (source.readyState === EventSource.CLOSED) poll();
  });
  window.addEventListener("pagehide", () => source.close());
}

place.addEventListener("htmx:afterSwap", settle);
if (place.dataset.stream && "EventSource" in window) listen();
else poll();
