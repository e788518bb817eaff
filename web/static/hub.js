// Everything works without this file; it only saves steps.
"use strict";

// What went wrong, or was not found, is read out first.
document.querySelector("[data-focus]")?.focus();

// A second press on a slow network sends nothing twice; coming back finds the button ready again.
for (const form of document.querySelectorAll("form[data-once]")) {
  const button = form.querySelector("button:not([type=button])");
  form.addEventListener("submit", () => setTimeout(() => (button.disabled = true)));
  addEventListener("pageshow", () => (button.disabled = false));
}

// The place from the phone.
const locate = document.getElementById("locate");
if (locate && navigator.geolocation && isSecureContext) {
  const said = document.getElementById("located");
  locate.hidden = false;
  locate.addEventListener("click", () => {
    said.textContent = locate.dataset.busy;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        document.getElementById("lat").value = coords.latitude.toFixed(6);
        document.getElementById("lon").value = coords.longitude.toFixed(6);
        said.textContent = locate.dataset.done;
      },
      () => (said.textContent = locate.dataset.failed),
      { enableHighAccuracy: true, timeout: 15000 },
    );
  });
}

// A receipt for the reporter.
const printing = document.getElementById("print");
if (printing) {
  printing.hidden = false;
  printing.addEventListener("click", () => print());
}

// Filters are folded on a narrow screen.
for (const details of document.querySelectorAll("details[data-wide]")) {
  details.open = matchMedia("(min-width: 60rem)").matches;
}

// j, k and Enter in the queue, if the person at the desk wants them; never inside a field.
const keys = document.getElementById("keys");
const rows = [...document.querySelectorAll("[data-keys] tbody tr")];
let here = rows.findIndex((row) => "#" + row.id === location.hash);
if (keys) {
  keys.checked = localStorage.getItem("keys") !== "off";
  keys.addEventListener("change", () => localStorage.setItem("keys", keys.checked ? "on" : "off"));
}
function go(step) {
  here = Math.max(0, Math.min(rows.length - 1, here + step));
  rows.forEach((row, at) => row.classList.toggle("here", at === here));
  const link = rows[here].querySelector("a");
  link.focus({ preventScroll: true });
  rows[here].scrollIntoView({ block: "nearest" });
}
addEventListener("keydown", (event) => {
  const busy = event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey;
  if (!rows.length || !keys?.checked || busy) return;
  if (event.key === "j") go(1);
  else if (event.key === "k") go(-1);
  else if (event.key === "Enter" && here >= 0 && event.target === document.body) rows[here].querySelector("a").click();
});
